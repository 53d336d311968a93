//! The id under which the log knows a request, for whoever writes an error about it.

use async_graphql::ServerError;
use poem::http::HeaderValue;

tokio::task_local! {
    /// Set around everything that is done for a request, or for a connection.
    pub(super) static REQUEST: String;
}

/// The request's id, where one is being answered.
pub(super) fn current() -> Option<String> {
    REQUEST.try_with(Clone::clone).ok()
}

/// Writes the id into errors for which somebody will look into the log, or show to who can.
pub(super) fn tell<'a>(errors: impl Iterator<Item = &'a mut ServerError>, id: Option<&HeaderValue>) {
    let Some(id) = id.and_then(|id| id.to_str().ok()).map(str::to_owned).or_else(current) else { return };
    for error in errors {
        error.extensions.get_or_insert_default().set("requestId", id.as_str());
    }
}
