//! Asks every engine and the mix every question.

use std::time::{Duration, Instant};

use super::Question;
use super::lists::Crowd;
use super::metrics::{Tally, rank};
use crate::Interaction;
use crate::engine::{Ask, Scores};
use crate::features::{Learner, top};
use crate::ranker::dot;
use crate::recommend::Recommender;
use crate::training::{Progress, stage};

/// A question in the recommender's terms: slots for courses.
pub(super) struct Slotted {
    history: Vec<Interaction>,
    now: i64,
    answer: u32,
}

pub(super) fn slotted(recommender: &Recommender, questions: &[Question<'_>]) -> Vec<Slotted> {
    let slotted = |question: &Question<'_>| Slotted {
        history: recommender.history(question.history),
        now: question.now,
        // An answer outside the catalogue is found by nobody.
        answer: recommender.slot(question.answer).unwrap_or(u32::MAX),
    };
    questions.iter().map(slotted).collect()
}

/// What [`judge`] found: one tally for each engine, then the mix.
pub(super) struct Judged {
    pub(super) tallies: Vec<Tally>,
    /// The time that the mix took.
    pub(super) answering: Duration,
}

pub(super) fn judge(
    recommender: &Recommender,
    questions: &[Slotted],
    crowd: &Crowd<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Judged {
    let courses = recommender.content().len();
    let engines = &recommender.model().0.engines;
    let mut tallies = vec![Tally::new(courses); engines.len() + 1];
    let mut scores = Scores::new(courses);
    let mut answering = Duration::ZERO;
    for (done, question) in questions.iter().enumerate() {
        if done % 500 == 0 {
            progress(stage("questions", done, questions.len()));
        }
        let ask = Ask { history: &question.history, now: question.now, content: recommender.content() };
        let had = |course: u32| question.history.iter().any(|row| row.course == course);
        for (engine, tally) in engines.iter().zip(&mut tallies) {
            scores.clear();
            engine.scorer.score(&ask, &mut scores);
            tally.add(rank(&scores, question.answer, &question.history, courses));
            tally.show(&top(&scores, 10, |c| !had(c)), crowd);
        }
        let start = Instant::now();
        let list = mixed(recommender, &ask);
        answering += start.elapsed();
        let tally = &mut tallies[engines.len()];
        tally.add(place(&list, question.answer, courses - question.history.len()));
        tally.show(&list.iter().take(10).map(|c| c.0).collect::<Vec<_>>(), crowd);
    }
    progress(stage("questions", questions.len(), questions.len()));
    Judged { tallies, answering }
}

/// The ranks that the mix gives to the answers.
pub(super) fn judge_mix(recommender: &Recommender, questions: &[Slotted]) -> Vec<f64> {
    let courses = recommender.content().len();
    let rank = |question: &Slotted| {
        let ask = Ask { history: &question.history, now: question.now, content: recommender.content() };
        place(&mixed(recommender, &ask), question.answer, courses - question.history.len())
    };
    questions.iter().map(rank).collect()
}

/// The mix's candidates, best first.
fn mixed(recommender: &Recommender, ask: &Ask<'_>) -> Vec<(u32, f64)> {
    let inner = &*recommender.model().0;
    let learner = Learner::new(*ask, &inner.stats);
    let mut desk = recommender.desk();
    let extra: Vec<u32> = recommender.next_on_shelf(ask).into_iter().collect();
    let count = inner.manners.candidates;
    desk.gather(&inner.engines, &learner, ask, count, &extra, |slot| recommender.is_listed(slot));
    let weights = recommender.weights(ask);
    let mut list: Vec<(u32, f64)> =
        (0..desk.courses.len()).map(|at| (desk.courses[at], dot(&weights, desk.row(at)))).collect();
    recommender.put_back(desk);
    list.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    list
}

/// The rank of a course in a list, ties sharing their mean rank; what is not listed shares the
/// ranks after it.
fn place(list: &[(u32, f64)], course: u32, courses: usize) -> f64 {
    let Some(&(_, own)) = list.iter().find(|c| c.0 == course) else {
        return (list.len() + 1 + courses) as f64 / 2.0;
    };
    let above = list.iter().filter(|c| c.1 > own).count();
    let equal = list.iter().filter(|c| c.1 >= own).count() - above;
    1.0 + above as f64 + (equal - 1) as f64 / 2.0
}
