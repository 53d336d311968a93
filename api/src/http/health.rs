//! Answers for operators.

use std::time::Duration;

use poem::{Endpoint, Response, endpoint::make, http::StatusCode};
use tokio::time::timeout;

use super::plain;
use crate::app::App;

/// So long `/readyz` waits for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// `/healthz`: the process runs.
pub(super) fn alive() -> impl Endpoint<Output = Response> {
    make(async |_| plain(StatusCode::OK, "text/plain; charset=utf-8", "alive\n"))
}

/// `/readyz`: requests can be answered: the database is there and at this program's version. Says whether
/// there is a model; without one there are no recommendations, but all else works.
pub(super) fn ready(app: App) -> impl Endpoint<Output = Response> {
    make(move |_| {
        let app = app.clone();
        async move {
            // A pool waits longer for a connection than whoever asks here waits for an answer.
            let database = match timeout(PATIENCE, app.db.require_current()).await {
                Ok(Ok(())) => "ok".to_owned(),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "not ready");
                    "not available".to_owned()
                }
                Err(_) => {
                    tracing::warn!("not ready: the database does not answer");
                    "not available".to_owned()
                }
            };
            let ready = database == "ok";
            let engines = app.feed.engines().states().map(|(name, state)| (name, state.as_str()));
            let mut body = serde_json::json!({
                "ready": ready,
                "database": database,
                "recommender": if app.feed.is_serving() { "ok" } else { "no model: run `stoa train`" },
            });
            // One that is not asked for a while is no reason to take the server out of service: the hybrid stands in.
            let engines: std::collections::BTreeMap<_, _> = engines.collect();
            if !engines.is_empty() {
                body["engines"] = serde_json::json!(engines);
            }
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            plain(status, "application/json", format!("{body}\n"))
        }
    })
}
