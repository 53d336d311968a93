//! Gorse's REST API: `GET /api/recommend/{user-id}`, item-to-item, and `POST /api/feedback`; the key goes as `X-API-Key`.
//!
//! Followed as published for 0.4 and 0.5 (`server/rest.go` in gorse-io/gorse). A recommendation is a list of item ids,
//! the best first, without scores; item-to-item is a list of `{Id, Score}`. An item's id is a course's slug.

use std::collections::BTreeMap;

use poem::http::{HeaderName, Method, Request, header};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Ask, ExternalError, ExternalItem, ExternalList, caller::Caller};
use crate::time::Timestamp;

/// Gorse knows nothing of what is barred here, so more is asked for than is wanted.
const MORE: usize = 50;
/// Item-to-item is asked about so many of the latest courses, at most: each is a request.
const LATEST: usize = 3;

/// Where Gorse is.
pub(super) struct Gorse {
    base: Url,
    /// The name of its item-to-item recommender (0.5).
    item_to_item: Option<String>,
}

/// An item of item-to-item.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scored {
    id: String,
    score: f64,
}

/// What somebody did with an item.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Feedback {
    #[serde(rename = "FeedbackType")]
    pub(super) kind: String,
    pub(super) user_id: String,
    pub(super) item_id: String,
    pub(super) timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inserted {
    row_affected: u64,
}

/// The header that shows Gorse the key.
pub(super) fn secret(token: &str) -> (HeaderName, String) {
    (HeaderName::from_static("x-api-key"), token.to_owned())
}

impl Gorse {
    /// Gorse at an address, which was checked before.
    pub(super) fn new(url: &str, item_to_item: Option<String>) -> Option<Self> {
        let base = Url::parse(url).ok()?;
        (!base.cannot_be_a_base()).then_some(Self { base, item_to_item })
    }

    /// Where it is.
    pub(super) fn base(&self) -> String {
        self.base.to_string()
    }

    /// What Gorse would recommend to her; from the courses she took last where it does not know her, or has nothing that
    /// can be used.
    pub(super) async fn next_courses(&self, caller: &Caller, ask: &Ask<'_>) -> Result<ExternalList, ExternalError> {
        if let Some(learner) = ask.learner {
            let found: Vec<String> = self.get(caller, &["recommend", learner], ask.limit + MORE).await?;
            let known = found.iter().filter_map(|slug| ask.mapped.course_of_slug(slug));
            // The order is all there is: the first is 1, the second a half.
            let items = known.zip(1_u32..).map(|(course, place)| ExternalItem {
                course,
                score: 1.0 / f64::from(place),
                reason: None,
            });
            let list = ExternalList { items: items.collect(), model: None };
            if list.items.iter().any(|item| ask.allows(item.course)) {
                return Ok(list);
            }
        }
        self.neighbours(caller, ask).await
    }

    /// What is like the courses she took last, the scores summed.
    async fn neighbours(&self, caller: &Caller, ask: &Ask<'_>) -> Result<ExternalList, ExternalError> {
        let mut history: Vec<_> = ask.history.iter().collect();
        history.sort_by_key(|row| std::cmp::Reverse(row.at));
        let mut sums: BTreeMap<u32, f64> = BTreeMap::new();
        for slug in history.iter().filter_map(|row| ask.mapped.slug(row.course)).take(LATEST) {
            let path = match &self.item_to_item {
                Some(name) => ["item-to-item", name.as_str(), slug],
                None => ["item", slug, "neighbors"],
            };
            let found: Vec<Scored> = self.get(caller, &path, ask.limit + MORE).await?;
            for scored in found {
                if !scored.score.is_finite() {
                    return Err(ExternalError::Answer("a score is no number"));
                }
                if let Some(course) = ask.mapped.course_of_slug(&scored.id) {
                    *sums.entry(course).or_default() += scored.score;
                }
            }
        }
        let items = sums.into_iter().map(|(course, score)| ExternalItem { course, score, reason: None });
        Ok(ExternalList { items: items.collect(), model: None })
    }

    /// Tells Gorse what people did. Telling it again changes nothing there.
    pub(super) async fn tell(&self, caller: &Caller, feedback: &[Feedback]) -> Result<(), ExternalError> {
        let body = serde_json::to_string(feedback).map_err(|_| ExternalError::Unreachable)?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.address(&["feedback"]).as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json");
        let inserted: Inserted = caller.ask(request, body).await?;
        tracing::debug!(rows = inserted.row_affected, "Gorse was told");
        Ok(())
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        caller: &Caller,
        path: &[&str],
        n: usize,
    ) -> Result<T, ExternalError> {
        let mut address = self.address(path);
        address.query_pairs_mut().append_pair("n", &n.to_string());
        let request = Request::builder().uri(address.as_str()).header(header::ACCEPT, "application/json");
        caller.ask(request, String::new()).await
    }

    /// A path under `/api`; what stands in it is encoded.
    fn address(&self, path: &[&str]) -> Url {
        let mut address = self.base.clone();
        // It can be a base, see `new`.
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().push("api").extend(path);
        }
        address
    }
}

/// An instant as Gorse reads it.
pub(super) fn timestamp(at: Timestamp) -> String {
    at.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_as_published_and_encoded() {
        let gorse = Gorse::new("http://127.0.0.1:8087/", None).unwrap();
        assert_eq!(gorse.address(&["recommend", "0a"]).as_str(), "http://127.0.0.1:8087/api/recommend/0a");
        let under = Gorse::new("https://school.example/gorse", None).unwrap();
        let address = under.address(&["item", "sol été", "neighbors"]);
        assert_eq!(address.as_str(), "https://school.example/gorse/api/item/sol%20%C3%A9t%C3%A9/neighbors");
        assert!(Gorse::new("mailto:gorse@school.example", None).is_none());
    }

    #[test]
    fn feedback_has_the_published_names() {
        let at = timestamp(Timestamp::from_seconds(1_541_068_921));
        let feedback = Feedback { kind: "enrol".into(), user_id: "0a".into(), item_id: "soil".into(), timestamp: at };
        assert_eq!(
            serde_json::to_value(feedback).unwrap(),
            serde_json::json!({
                "FeedbackType": "enrol", "UserId": "0a", "ItemId": "soil", "Timestamp": "2018-11-01T10:42:01Z",
            })
        );
    }
}
