//! Our protocol for engines over HTTP, version 1; described in `docs/ENGINES.md`.

use poem::http::{HeaderName, Method, Request, header};
use serde::{Deserialize, Serialize};

use super::{Ask, ExternalError, ExternalItem, ExternalList, caller::Caller};

/// The version of the protocol.
const VERSION: u32 = 1;
/// An answer with more items than this is a mistake.
const MOST_ITEMS: usize = 1_000;
/// A score beyond this, either way, is a mistake: above zero and below, differences must still be told apart.
const HIGHEST: f64 = 1e9;
/// The latest courses of a history that are sent, at most.
const MOST_HISTORY: usize = 500;
/// The longest reason that is taken over, in characters.
const LONGEST_REASON: usize = 300;
/// The longest name of a model that is taken over, in characters.
const LONGEST_MODEL: usize = 100;

/// What is sent.
#[derive(Serialize)]
struct Question<'a> {
    version: u32,
    /// Stands for the learner at this engine only.
    learner: Option<&'a str>,
    history: Vec<Taken<'a>>,
    goals: Vec<&'a str>,
    exclude: Vec<&'a str>,
    limit: usize,
    now: i64,
}

/// A course that she has taken.
#[derive(Serialize)]
struct Taken<'a> {
    course: &'a str,
    at: i64,
    completion: Option<f32>,
    seconds: Option<f32>,
    rating: Option<f32>,
}

/// What comes back.
#[derive(Deserialize)]
struct Answer {
    items: Vec<Item>,
    model: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    course: String,
    score: f64,
    reason: Option<String>,
}

/// The header that shows an engine the token.
pub(super) fn secret(token: &str) -> (HeaderName, String) {
    (header::AUTHORIZATION, format!("Bearer {token}"))
}

/// Asks an engine at `url`.
pub(super) async fn next_courses(caller: &Caller, url: &str, ask: &Ask<'_>) -> Result<ExternalList, ExternalError> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json");
    let answer: Answer = caller.ask(request, question(ask)?).await?;
    list(answer, ask)
}

fn question(ask: &Ask<'_>) -> Result<String, ExternalError> {
    let slug = |course: &u32| ask.mapped.slug(*course);
    let mut history: Vec<_> = ask.history.iter().collect();
    history.sort_by_key(|row| row.at);
    let latest = &history[history.len().saturating_sub(MOST_HISTORY)..];
    let question = Question {
        version: VERSION,
        learner: ask.learner,
        history: latest
            .iter()
            .filter_map(|row| {
                Some(Taken {
                    course: ask.mapped.slug(row.course)?,
                    at: row.at,
                    completion: row.completion,
                    seconds: row.seconds,
                    rating: row.rating,
                })
            })
            .collect(),
        goals: ask.goals.iter().filter_map(|topic| ask.mapped.topic_slug(*topic)).collect(),
        exclude: ask.exclude.iter().filter_map(slug).collect(),
        limit: ask.limit,
        now: ask.now.seconds(),
    };
    serde_json::to_string(&question).map_err(|_| ExternalError::Unreachable)
}

/// What is left of an answer once it has been looked at. The order is the scores'; of two alike the first comes first.
fn list(answer: Answer, ask: &Ask<'_>) -> Result<ExternalList, ExternalError> {
    if answer.items.len() > MOST_ITEMS {
        return Err(ExternalError::Answer("it has too many items"));
    }
    if answer.items.iter().any(|item| !item.score.is_finite() || item.score.abs() > HIGHEST) {
        return Err(ExternalError::Answer("a score is no number, or too large"));
    }
    let items = answer.items.into_iter().filter_map(|item| {
        Some(ExternalItem {
            course: ask.mapped.course_of_slug(&item.course)?,
            score: item.score,
            reason: item.reason.and_then(|text| fit(&text, LONGEST_REASON)),
        })
    });
    Ok(ExternalList { items: items.collect(), model: answer.model.and_then(|text| fit(&text, LONGEST_MODEL)) })
}

/// A text of theirs as it may be shown: one line of a bearable length, or nothing.
fn fit(text: &str, longest: usize) -> Option<String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= longest && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recommendations::external::tests::{ask_of, courses};

    fn answered(text: &str) -> Result<Vec<(u32, f64)>, String> {
        let mapped = courses(&["soil", "compost", "worms"]);
        let answer = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let list = list(answer, &ask_of(&mapped, &[])).map_err(|error| error.to_string())?;
        Ok(list.items.iter().map(|item| (item.course, item.score)).collect())
    }

    #[test]
    fn unknown_courses_are_passed_over_and_mad_scores_refused() {
        let known = answered(
            r#"{"items":[{"course":"worms","score":2},{"course":"gone","score":9},{"course":"soil","score":-1.5}]}"#,
        );
        assert_eq!(known, Ok(vec![(2, 2.0), (0, -1.5)]));
        assert!(answered(r#"{"items":[{"course":"soil","score":1e10}]}"#).unwrap_err().contains("too large"));
        for no_number in ["NaN", "1e999", "null", "\"2\"", "Infinity"] {
            assert!(
                answered(&format!(r#"{{"items":[{{"course":"soil","score":{no_number}}}]}}"#)).is_err(),
                "{no_number}"
            );
        }
        let many = vec![r#"{"course":"soil","score":1}"#; 1_001].join(",");
        assert!(answered(&format!(r#"{{"items":[{many}]}}"#)).unwrap_err().contains("too many"));
    }

    #[test]
    fn what_is_sent_is_what_is_needed() {
        let mapped = courses(&["soil", "compost", "worms"]);
        let row = stoa_recommender::Interaction { completion: Some(0.5), ..stoa_recommender::Interaction::new(1, 77) };
        let sent: serde_json::Value = serde_json::from_str(&question(&ask_of(&mapped, &[row])).unwrap()).unwrap();
        assert_eq!(
            sent,
            serde_json::json!({
                "version": 1, "learner": "0a", "goals": [], "exclude": [], "limit": 10, "now": 1000,
                "history": [{ "course": "compost", "at": 77, "completion": 0.5, "seconds": null, "rating": null }],
            })
        );
    }

    #[test]
    fn a_reason_of_theirs_is_one_line_or_none() {
        assert_eq!(fit(" Because. ", 300).as_deref(), Some("Because."));
        assert_eq!(fit("two\nlines", 300), None);
        assert_eq!(fit("long", 3), None);
        assert_eq!(fit("  ", 3), None);
    }
}
