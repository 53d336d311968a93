//! A reference service for Stoa's protocol for engines over HTTP (`docs/ENGINES.md`): what learners of the courses that
//! she took have taken besides, and what is popular, counted from the histories that it was sent.
//!
//!     cargo run -p stoa-api --example engine_service -- 127.0.0.1:9000 [TOKEN]
//!
//! It keeps everything in memory, and no more than 100,000 learners and 2,000 courses.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use poem::{
    Endpoint, EndpointExt as _, IntoResponse as _, Request, Response, Route, endpoint::make, http::StatusCode, post,
};
use serde::{Deserialize, Serialize};
use stoa_api::http::{Listener, asked_to_end};

/// So many learners are remembered; those who come later are answered, and not counted.
const MOST_LEARNERS: usize = 100_000;
/// So many courses are counted.
const MOST_COURSES: usize = 2_000;
/// A question is no longer than this, in bytes.
const LONGEST: usize = 256 * 1024;

/// What Stoa asks. Fields that this service does not use are left out here.
#[derive(Deserialize)]
struct Question {
    version: u32,
    learner: Option<String>,
    history: Vec<Taken>,
    exclude: Vec<String>,
    limit: usize,
}

#[derive(Deserialize)]
struct Taken {
    course: String,
}

/// What Stoa is answered.
#[derive(Serialize)]
struct Answer {
    items: Vec<Item>,
    model: &'static str,
}

#[derive(Serialize)]
struct Item {
    course: String,
    score: f64,
    reason: Option<String>,
}

/// What was seen so far.
#[derive(Default)]
struct Counts {
    /// What each learner has taken, as indices of `courses`.
    learners: HashMap<String, Vec<usize>>,
    courses: Vec<String>,
    index: HashMap<String, usize>,
    takers: Vec<u32>,
    /// How many have taken both.
    pairs: HashMap<(usize, usize), u32>,
}

impl Counts {
    fn course(&mut self, slug: &str) -> Option<usize> {
        if let Some(at) = self.index.get(slug) {
            return Some(*at);
        }
        if self.courses.len() >= MOST_COURSES {
            return None;
        }
        self.index.insert(slug.to_owned(), self.courses.len());
        self.courses.push(slug.to_owned());
        self.takers.push(0);
        Some(self.courses.len() - 1)
    }

    /// Counts what is new in a history.
    fn learn(&mut self, learner: &str, history: &[Taken]) {
        if !self.learners.contains_key(learner) && self.learners.len() >= MOST_LEARNERS {
            return;
        }
        let mut had = self.learners.remove(learner).unwrap_or_default();
        for taken in history {
            let Some(course) = self.course(&taken.course) else { continue };
            if had.contains(&course) {
                continue;
            }
            self.takers[course] += 1;
            for other in &had {
                *self.pairs.entry((course.min(*other), course.max(*other))).or_default() += 1;
            }
            had.push(course);
        }
        self.learners.insert(learner.to_owned(), had);
    }

    /// Every course that she does not have: how many took it with one of hers, and how many took it at all.
    fn list(&self, question: &Question) -> Vec<Item> {
        let hers: Vec<_> = question.history.iter().filter_map(|taken| self.index.get(&taken.course).copied()).collect();
        let most = f64::from(self.takers.iter().copied().max().unwrap_or(0).max(1));
        let mut items: Vec<_> = self
            .courses
            .iter()
            .enumerate()
            .filter(|(at, slug)| !hers.contains(at) && !question.exclude.contains(*slug))
            .map(|(at, slug)| {
                let both = |other: &usize| self.pairs.get(&(at.min(*other), at.max(*other))).copied().unwrap_or(0);
                let together = hers.iter().map(both).max().unwrap_or(0);
                let popular = f64::from(self.takers[at]) / most;
                let reason = (together >= 10).then(|| format!("{together} learners took it with a course of yours."));
                Item { course: slug.clone(), score: f64::from(together) + popular, reason }
            })
            .collect();
        items.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.course.cmp(&other.course)));
        items.truncate(question.limit.min(1_000));
        items
    }
}

/// `POST /recommend`.
pub(crate) fn routes(token: Option<String>) -> impl Endpoint<Output = Response> {
    let counts: Arc<Mutex<Counts>> = Arc::default();
    let recommend = make(move |mut request: Request| {
        let (counts, token) = (Arc::clone(&counts), token.clone());
        async move {
            let known = token.is_none_or(|token| request.header("authorization") == Some(&format!("Bearer {token}")));
            if !known {
                return StatusCode::UNAUTHORIZED.into_response();
            }
            let body = request.take_body().into_bytes_limit(LONGEST).await.unwrap_or_default();
            let question: Question = match serde_json::from_slice(&body) {
                Ok(question) => question,
                Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
            };
            if question.version != 1 {
                return (StatusCode::BAD_REQUEST, "this service speaks version 1").into_response();
            }
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(learner) = &question.learner {
                counts.learn(learner, &question.history);
            }
            let answer = Answer { items: counts.list(&question), model: "together-1" };
            let text = serde_json::to_string(&answer).unwrap_or_default();
            text.with_content_type("application/json").into_response()
        }
    });
    Route::new().at("/recommend", post(recommend)).map_to_response()
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:9000".to_owned());
    let listener = Listener::bind(&address).await?;
    println!("answering at http://{}/recommend", listener.address);
    listener.serve(routes(arguments.next()), asked_to_end()).await
}
