//! What the ranker sees of a learner and a course.
//!
//! Every feature is zero where its ground is missing (no clock, no topics, no completion), and
//! larger where there is more of it; none is centred, so a zero feature gives nothing to the score.
//! Each is crossed with the *situation*: how long ago the learner was last here, and how the last
//! course went. What fits the next lesson of a sitting does not fit a return after months.

use crate::Interaction;
use crate::engine::{Ask, Scores};
use crate::reasons::ReasonKind;
use crate::stats::{Stats, seconds_spent};

/// Situations by which each feature is crossed: always; gaps of half a day, a month, ten minutes;
/// how far the last course was completed; how short the history is; how rare the last course is;
/// whether she has been walking along the shelf; how fresh the model's knowledge is.
pub(crate) const SITUATIONS: usize = 9;
/// The situations that tell of time.
pub(crate) const TIME_CROSSES: [usize; 4] = [1, 2, 3, 8];
/// The situation that tells how far the last course was completed.
pub(crate) const COMPLETION_CROSS: usize = 4;

/// Features of each engine: value relative to the learner's best, its logarithm, reciprocal rank.
pub(crate) const PER_ENGINE: usize = 3;

const DAY: f64 = 86_400.0;

/// Features that don't come from an engine: name and the reason they give.
pub(crate) const FACTS: [(&str, ReasonKind); 12] = [
    ("completion_rate", ReasonKind::CompletionRate),
    ("topic_time", ReasonKind::TimeOnTopic),
    ("topic_hours", ReasonKind::TimeOnTopic),
    ("topic_last", ReasonKind::TimeOnTopic),
    ("level_gap", ReasonKind::NextLevel),
    ("level_step", ReasonKind::NextLevel),
    ("prerequisites_met", ReasonKind::PrerequisitesMet),
    ("prerequisites_missing", ReasonKind::PrerequisitesMet),
    ("age", ReasonKind::Freshness),
    ("unseen", ReasonKind::Freshness),
    ("length_gap", ReasonKind::Length),
    ("shelf_next", ReasonKind::NextInCatalogue),
];

/// Crosses of the situation, 0..=1 each; the first is always 1.
pub(crate) fn situation(ask: &Ask<'_>, stats: &Stats) -> [f64; SITUATIONS] {
    let mut situation = [0.0; SITUATIONS];
    situation[0] = 1.0;
    let Some(last) = ask.history.last() else {
        return situation;
    };
    if stats.clock {
        let gap = (ask.now - last.at).max(0) as f64;
        situation[1] = (-gap / (DAY / 2.0)).exp();
        situation[2] = (-gap / (30.0 * DAY)).exp();
        situation[3] = (-gap / 600.0).exp();
        let stale = (ask.now - stats.last_at).max(0) as f64;
        situation[8] = (-stale / (7.0 * DAY)).exp();
    }
    situation[4] = last.completion.map_or(0.0, f64::from);
    situation[5] = 1.0 / (ask.history.len() as f64).sqrt();
    let taken = stats.taken.get(last.course as usize).copied().unwrap_or(0);
    situation[6] = 1.0 / (1.0 + f64::from(taken) / 5.0).sqrt();
    situation[7] = habit(ask);
    situation
}

/// The share of the latest steps that went on to one of the next two courses on the shelf.
fn habit(ask: &Ask<'_>) -> f64 {
    let place = |row: &Interaction| ask.content.facts(row.course).map_or(0, |f| i64::from(f.place));
    let latest = &ask.history[ask.history.len().saturating_sub(5)..];
    let steps = latest.windows(2).map(|pair| place(&pair[1]) - place(&pair[0]));
    let along = steps.clone().filter(|step| (1..=2).contains(step)).count();
    along as f64 / (steps.count() + 1) as f64
}

/// What is read once from a learner's history.
pub(crate) struct Learner<'a> {
    ask: Ask<'a>,
    stats: &'a Stats,
    topic_seconds: Vec<f32>,
    topic_weight: Vec<f32>,
    weight: f32,
    level: Option<f32>,
    length: Option<f32>,
    taken: Vec<bool>,
}

impl<'a> Learner<'a> {
    pub(crate) fn new(ask: Ask<'a>, stats: &'a Stats) -> Self {
        let content = ask.content;
        let mut learner = Self {
            ask,
            stats,
            topic_seconds: vec![0.0; content.topic_count()],
            topic_weight: vec![0.0; content.topic_count()],
            weight: 0.0,
            level: None,
            length: None,
            taken: vec![false; content.len()],
        };
        let (mut levels, mut lengths) = (Mean::default(), Mean::default());
        for row in ask.history {
            let Some(facts) = content.facts(row.course) else {
                continue;
            };
            learner.taken[row.course as usize] = true;
            let seconds = seconds_spent(row, content);
            // A visit of unknown length still says which topics she looks at.
            let weight = seconds.map_or(1.0, |s| (1.0 + s / 60.0).ln());
            for &topic in &facts.topics {
                learner.topic_weight[topic as usize] += weight;
                learner.topic_seconds[topic as usize] += seconds.unwrap_or(0.0);
            }
            learner.weight += weight;
            levels.add(facts.level.map(f32::from));
            lengths.add(facts.seconds.map(|s| (1.0 + s as f32).ln()));
        }
        learner.level = levels.value();
        learner.length = lengths.value();
        learner
    }

    pub(crate) fn has(&self, course: u32) -> bool {
        self.taken.get(course as usize).copied().unwrap_or(false)
    }

    /// The topics of a course that she looked at, with her seconds on each.
    pub(crate) fn topics(&self, course: u32) -> impl Iterator<Item = (u32, f32)> {
        let topics = self.topic_seconds(course);
        topics.filter(|&(topic, _)| self.topic_weight[topic as usize] > 0.0)
    }

    /// Seconds on each topic of a course.
    fn topic_seconds(&self, course: u32) -> impl Iterator<Item = (u32, f32)> {
        let topics = self.ask.content.topics(course).iter();
        topics.map(|&t| (t, self.topic_seconds[t as usize]))
    }

    /// Whether all of a course's prerequisites are in the history; `None` if it has none.
    pub(crate) fn prerequisites(&self, course: u32) -> Option<f32> {
        let needed = &self.ask.content.facts(course)?.prerequisites;
        let met = needed.iter().filter(|&&p| self.has(p)).count();
        (!needed.is_empty()).then(|| met as f32 / needed.len() as f32)
    }

    /// Fills the features of [`FACTS`] for one course.
    pub(crate) fn facts(&self, course: u32, out: &mut [f32]) {
        let content = self.ask.content;
        let Some(facts) = content.facts(course) else {
            return;
        };
        let last = self.ask.history.last();
        let last = last.and_then(|row| content.facts(row.course));
        out[0] = self.stats.completion_lift(course);
        if !facts.topics.is_empty() && self.weight > 0.0 {
            let share: f32 = facts.topics.iter().map(|&t| self.topic_weight[t as usize]).sum();
            out[1] = share / (self.weight * facts.topics.len() as f32);
            let seconds: f32 = self.topic_seconds(course).map(|(_, s)| s).sum();
            out[2] = (1.0 + seconds / 3600.0).ln();
            out[3] = last.map_or(0.0, |l| overlap(&facts.topics, &l.topics));
        }
        if let Some(level) = facts.level.map(f32::from) {
            out[4] = self.level.map_or(0.0, |usual| -(level - usual).abs());
            let step = last.and_then(|l| l.level).map(|l| level - f32::from(l));
            out[5] = step.map_or(0.0, |s| s.clamp(-1.0, 1.0));
        }
        if let Some(met) = self.prerequisites(course) {
            out[6] = met;
            out[7] = met - 1.0;
        }
        self.age(course, facts.published_at, out);
        if let (Some(usual), Some(seconds)) = (self.length, facts.seconds) {
            out[10] = -((1.0 + seconds as f32).ln() - usual).abs();
        }
        if last.is_some_and(|l| l.place + 1 == facts.place) {
            out[11] = 1.0;
        }
    }

    /// Days since the course appeared, logarithmic; or that it had not appeared yet.
    fn age(&self, course: u32, published_at: Option<i64>, out: &mut [f32]) {
        if !self.stats.clock {
            return;
        }
        let seen = self.stats.first_at.get(course as usize).copied();
        let seen = seen.filter(|&at| at != i64::MAX);
        let Some(since) = published_at.into_iter().chain(seen).min() else {
            return;
        };
        let days = (self.ask.now - since) as f64 / DAY;
        if days < 0.0 {
            out[9] = -1.0;
        } else {
            // 1 on the first day, about 0 after three years.
            out[8] = (1.0 - (1.0 + days).ln() / 7.0) as f32;
        }
    }
}

#[derive(Default)]
struct Mean(f32, f32);

impl Mean {
    fn add(&mut self, value: Option<f32>) {
        if let Some(value) = value {
            self.0 += value;
            self.1 += 1.0;
        }
    }

    fn value(&self) -> Option<f32> {
        (self.1 > 0.0).then(|| self.0 / self.1)
    }
}

/// Jaccard overlap of two sorted lists.
fn overlap(a: &[u32], b: &[u32]) -> f32 {
    let common = a.iter().filter(|t| b.binary_search(t).is_ok()).count();
    let all = a.len() + b.len() - common;
    common as f32 / all.max(1) as f32
}

/// Steepness of the logarithm: scores below a thousandth of the best count as none.
const FLOOR: f32 = 1e-3;
/// `ln(1 + 1 / FLOOR)`, which makes the best course's logarithm 1.
const STEEP: f32 = 6.908_755;

/// One engine's scores of the candidates as features.
pub(crate) struct EngineView {
    best: f32,
    /// Scores of the best courses, falling: a score's rank is its place here.
    ladder: Vec<f32>,
}

impl EngineView {
    /// `top` are the engine's best courses that may be recommended, best first.
    pub(crate) fn new(top: &[u32], value: impl Fn(u32) -> f32) -> Self {
        let ladder: Vec<f32> = top.iter().map(|&c| value(c)).collect();
        Self { best: ladder.first().copied().unwrap_or(0.0), ladder }
    }

    pub(crate) fn features(&self, score: f32, out: &mut [f32]) {
        if self.best <= 0.0 || score <= 0.0 {
            return;
        }
        let share = (score / self.best).min(1.0);
        out[0] = share;
        out[1] = (1.0 + share / FLOOR).ln() / STEEP;
        let rank = self.ladder.partition_point(|&s| s > score);
        out[2] = 1.0 / (1.0 + rank as f32);
    }
}

/// The `count` best of the courses an engine scored above zero, best first, ties by index.
pub(crate) fn top(scores: &Scores, count: usize, open: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut best: Vec<u32> = scores.touched().iter().copied().filter(|&c| scores.get(c) > 0.0 && open(c)).collect();
    let order = |a: &u32, b: &u32| scores.get(*b).total_cmp(&scores.get(*a)).then_with(|| a.cmp(b));
    if best.len() > count {
        best.select_nth_unstable_by(count, order);
        best.truncate(count);
    }
    best.sort_unstable_by(order);
    best
}

/// Names of all features, in their order, for engines of these labels.
pub(crate) fn names(labels: &[String]) -> Vec<String> {
    let engines = labels.iter().flat_map(|l| ["share", "log", "rank"].map(|kind| format!("{l}.{kind}")));
    let facts = FACTS.iter().map(|(name, _)| (*name).to_owned());
    engines.chain(facts).collect()
}

/// Number of features for this many engines.
pub(crate) fn width(engines: usize) -> usize {
    engines * PER_ENGINE + FACTS.len()
}
