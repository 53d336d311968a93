//! Evaluation: what a model would have recommended, against what learners took.
//!
//! Every question has one right answer. All courses of the catalogue that the learner doesn't have
//! are ranked, none sampled; courses with the same score share their mean rank. Each engine is
//! judged beside the mix, on the same questions.

pub(crate) mod metrics;
mod protocols;
mod shadow;
mod split;

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

pub use metrics::Metrics;
pub use protocols::Protocol;
pub use shadow::{Shadow, shadow};
pub use split::{Split, SplitError, Target};

use crate::engine::{Ask, Registry, Scores};
use crate::features::top;
use crate::recommend::{Query, Recommender};
use crate::training::Progress;
use crate::{Catalogue, FitError, Interaction, Interactions, Model, Settings};
use metrics::{Tally, rank};

/// Which targets of a [`Split`] to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Fit on `train`, ask for the second last choices: for tuning.
    Validation,
    /// Fit on `trainval`, ask for the last choices: for reporting.
    Test,
}

/// The figures of one evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// How the questions were made.
    pub protocol: String,
    /// Number of questions.
    pub questions: usize,
    /// Courses in the catalogue.
    pub courses: usize,
    /// Learners in the training data.
    pub learners: usize,
    /// Interactions in the training data.
    pub interactions: usize,
    /// Seconds the whole fit took.
    pub fit_seconds: f64,
    /// Microseconds per question to score and rank with the mix, the mean.
    pub answer_micros: f64,
    /// The engines in their order, then the mix.
    pub methods: Vec<Metrics>,
}

impl Report {
    /// The figures of one method.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&Metrics> {
        self.methods.iter().find(|m| m.name == name)
    }

    /// The figures of the mix.
    #[must_use]
    pub fn mix(&self) -> Option<&Metrics> {
        self.method(MIX)
    }
}

/// What the hybrid is called in reports.
pub const MIX: &str = "mix";

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} questions, {} courses; fitted on {} interactions of {} learners in {:.2} s; {:.0} µs an answer",
            self.protocol,
            self.questions,
            self.courses,
            self.interactions,
            self.learners,
            self.fit_seconds,
            self.answer_micros,
        )?;
        writeln!(
            f,
            "{:<16} {:>7} {:>7} {:>6} {:>7} {:>9} {:>11}",
            "method", "HR@10", "NDCG@10", "±", "MRR", "recall@20", "coverage@10"
        )?;
        for m in &self.methods {
            writeln!(
                f,
                "{:<16} {:>7.3} {:>7.3} {:>6.3} {:>7.3} {:>9.3} {:>11.3}",
                m.name, m.hr_10, m.ndcg_10, m.ndcg_10_half_width, m.mrr, m.recall_20, m.coverage_10
            )?;
        }
        Ok(())
    }
}

/// One question: what comes after this history?
#[derive(Debug, Clone, Copy)]
struct Question<'a> {
    history: &'a [Interaction],
    now: i64,
    answer: u32,
}

/// Makes questions from interactions as the protocol says, fits on what is left, and asks them.
///
/// # Errors
/// As [`Model::fit`].
pub fn evaluate(
    protocol: Protocol,
    catalogue: &Catalogue,
    interactions: &Interactions,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, FitError> {
    let (train, questions) = protocol.cut(interactions);
    let clock = interactions.has_clock();
    Asked { protocol: protocol.as_str(), catalogue, train, clock, questions }.report(
        &Registry::standard(),
        settings,
        progress,
    )
}

/// [`evaluate`] with [`Protocol::LeaveLastOut`].
///
/// # Errors
/// As [`Model::fit`].
pub fn leave_last_out(
    catalogue: &Catalogue,
    interactions: &Interactions,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, FitError> {
    evaluate(Protocol::LeaveLastOut, catalogue, interactions, settings, progress)
}

/// Fits on one part of a split and asks for its targets.
///
/// # Errors
/// As [`Model::fit`].
pub fn evaluate_split(
    split: &Split,
    part: Part,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, FitError> {
    let (protocol, train, targets) = match part {
        Part::Validation => ("train → validation", &split.train, &split.validation),
        Part::Test => ("trainval → test", &split.trainval, &split.test),
    };
    let question =
        |target: &Target| Question { history: train.of(target.learner), now: target.at, answer: target.course };
    let asked = Asked {
        protocol,
        catalogue: &split.catalogue,
        train: train.iter().map(|(_, history)| history).collect(),
        clock: train.has_clock(),
        questions: targets.iter().map(question).collect(),
    };
    asked.report(&Registry::standard(), settings, progress)
}

/// Training data, and the questions to ask after it.
struct Asked<'a> {
    protocol: &'a str,
    catalogue: &'a Catalogue,
    train: Vec<&'a [Interaction]>,
    clock: bool,
    questions: Vec<Question<'a>>,
}

impl Asked<'_> {
    fn report(
        self,
        registry: &Registry,
        settings: &Settings,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, FitError> {
        let learners = self.train.len();
        let start = Instant::now();
        let model = Model::fit_histories(registry, self.catalogue, self.train, self.clock, settings, progress)?;
        let fit_seconds = start.elapsed().as_secs_f64();
        let interactions = model.header().interactions as usize;
        // The catalogue is the one it was trained on, so there is nothing that could not fit.
        let Ok(recommender) = model.bind(self.catalogue) else {
            return Err(FitError::OtherCatalogue { course: 0, courses: self.catalogue.len() });
        };
        let (methods, answering) = judge(&recommender, &self.questions, progress);
        Ok(Report {
            protocol: self.protocol.to_owned(),
            questions: self.questions.len(),
            courses: self.catalogue.len(),
            learners,
            interactions,
            fit_seconds,
            answer_micros: answering.as_secs_f64() * 1e6 / self.questions.len().max(1) as f64,
            methods,
        })
    }
}

/// Every engine and the mix on every question; the time that the mix took.
fn judge(
    recommender: &Recommender,
    questions: &[Question<'_>],
    progress: &mut dyn FnMut(Progress),
) -> (Vec<Metrics>, Duration) {
    let courses = recommender.content().len();
    let engines = &recommender.model().0.engines;
    let mut tallies = vec![Tally::new(courses); engines.len() + 1];
    let mut scores = Scores::new(courses);
    let mut answering = Duration::ZERO;
    for (done, question) in questions.iter().enumerate() {
        if done % 500 == 0 {
            progress(crate::training::stage("questions", done, questions.len()));
        }
        let ask = Ask { history: question.history, now: question.now, content: recommender.content() };
        let had = |course: u32| question.history.iter().any(|row| row.course == course);
        for (engine, tally) in engines.iter().zip(&mut tallies) {
            scores.clear();
            engine.scorer.score(&ask, &mut scores);
            tally.add(rank(&scores, question.answer, question.history, courses));
            tally.show(top(&scores, 10, |c| !had(c)));
        }
        let start = Instant::now();
        let list = mixed(recommender, &ask);
        answering += start.elapsed();
        let tally = &mut tallies[engines.len()];
        tally.add(place(&list, question.answer, courses - question.history.len()));
        tally.show(list.iter().take(10).map(|c| c.0));
    }
    let names = engines.iter().map(|e| &*e.label).chain([MIX]);
    let methods = names.zip(&tallies).map(|(name, tally)| tally.metrics(name));
    (methods.collect(), answering)
}

/// The mix's candidates, best first.
fn mixed(recommender: &Recommender, ask: &Ask<'_>) -> Vec<(u32, f64)> {
    let mut desk = recommender.desk();
    let reading = recommender.read(*ask, &Query::default());
    let count = recommender.model().0.manners.candidates;
    let order = recommender.rank(&reading, count, &mut desk, &|_| true);
    recommender.put_back(desk);
    order.into_iter().map(|course| (course.slot, course.score)).collect()
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
