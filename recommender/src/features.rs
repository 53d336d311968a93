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

/// Features of each engine: value relative to the learner's best, its logarithm, reciprocal rank, and
/// its share of all that the engine gives its best courses, which tells how sure the engine is.
pub(crate) const PER_ENGINE: usize = 4;

const DAY: f64 = 86_400.0;

/// Features that don't come from an engine: name and the reason they give.
pub(crate) const FACTS: [(&str, ReasonKind); 23] = [
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
    ("shelf_after", ReasonKind::NextInCatalogue),
    ("shelf_before", ReasonKind::NextInCatalogue),
    ("shelf_around", ReasonKind::NextInCatalogue),
    ("shelf_step", ReasonKind::NextInCatalogue),
    ("shelf_free", ReasonKind::NextInCatalogue),
    ("topic_next", ReasonKind::NextInCatalogue),
    ("completion_fit", ReasonKind::CompletionRate),
    ("nobody_yet", ReasonKind::Freshness),
    ("first_visit", ReasonKind::Freshness),
    ("agreement", ReasonKind::TakenNext),
    ("agreement_first", ReasonKind::TakenNext),
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
    // The share of the latest steps that went on to one of the next two courses on the shelf.
    let steps = steps(ask, 4);
    situation[7] = steps.clone().filter(|step| (1..=2).contains(step)).count() as f64 / (steps.count() + 1) as f64;
    situation
}

/// Distances on the shelf of so many latest steps.
fn steps<'a>(ask: &Ask<'a>, most: usize) -> impl Iterator<Item = i64> + Clone + use<'a> {
    let content = ask.content;
    let place = move |row: &Interaction| content.facts(row.course).map_or(0, |f| i64::from(f.place));
    let latest = &ask.history[ask.history.len().saturating_sub(most + 1)..];
    latest.windows(2).map(move |pair| place(&pair[1]) - place(&pair[0]))
}

/// So far after the latest course the shelf is searched for one that is not taken.
const FAR: usize = 60;

/// What is read once from a learner's history.
pub(crate) struct Learner<'a> {
    ask: Ask<'a>,
    stats: &'a Stats,
    topic_seconds: Vec<f32>,
    topic_weight: Vec<f32>,
    weight: f32,
    level: Option<f32>,
    length: Option<f32>,
    /// Her mean completion less the usual one.
    completion: f32,
    taken: Vec<bool>,
    /// Her latest steps along the shelf.
    steps: Vec<i64>,
    /// The first course after the latest on the shelf that she doesn't have; the same on its topics.
    next_free: Option<u32>,
    next_on_topic: Option<u32>,
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
            completion: 0.0,
            taken: vec![false; content.len()],
            steps: steps(&ask, 10).collect(),
            next_free: None,
            next_on_topic: None,
        };
        let (mut levels, mut lengths, mut completions) = (Mean::default(), Mean::default(), Mean::default());
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
            completions.add(row.completion.map(|c| c - stats.usual_completion));
            levels.add(facts.level.map(f32::from));
            lengths.add(facts.seconds.map(|s| (1.0 + s as f32).ln()));
        }
        learner.level = levels.value();
        learner.completion = completions.value().unwrap_or(0.0);
        learner.length = lengths.value();
        if let Some(last) = ask.history.last().and_then(|row| content.facts(row.course)) {
            let after = content.shelf().get(last.place as usize + 1..).unwrap_or_default();
            let free = after.iter().copied().take(FAR).filter(|&c| !learner.has(c));
            let next = free.clone().next();
            let on_topic = free.clone().find(|&c| overlap(content.topics(c), &last.topics) > 0.0);
            (learner.next_free, learner.next_on_topic) = (next, on_topic);
        }
        learner
    }

    /// Counts a course as taken that she knows from elsewhere.
    pub(crate) fn know(&mut self, course: u32) {
        if let Some(taken) = self.taken.get_mut(course as usize) {
            *taken = true;
        }
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
        let taken_at = |by: i64| -> f32 {
            let place = usize::try_from(i64::from(facts.place) + by).ok();
            let other = place.and_then(|p| content.shelf().get(p));
            other.map_or(0.0, |&c| f32::from(u8::from(self.has(c))))
        };
        // Whether she has its neighbours on the shelf, and how many of those around.
        out[12] = taken_at(-1);
        out[13] = taken_at(1);
        out[14] = (2..=5).map(|by| taken_at(by) + taken_at(-by)).sum::<f32>() / 8.0;
        if let Some(last) = last {
            let step = i64::from(facts.place) - i64::from(last.place);
            let same = self.steps.iter().filter(|&&s| s == step).count();
            out[15] = same as f32 / (self.steps.len() + 1) as f32;
        }
        out[16] = f32::from(u8::from(self.next_free == Some(course)));
        out[17] = f32::from(u8::from(self.next_on_topic == Some(course)));
        out[18] = self.completion * self.stats.completion_lift(course);
        if self.stats.taken.get(course as usize).is_none_or(|&n| n == 0) {
            out[19] = 1.0;
        }
    }

    /// How lately the course appeared, as it says itself and as its first visit tells: dates may be
    /// rough, or the same for all. Or that it had not appeared yet.
    fn age(&self, course: u32, published_at: Option<i64>, out: &mut [f32]) {
        if !self.stats.clock {
            return;
        }
        let seen = self.stats.first_at.get(course as usize).copied();
        let seen = seen.filter(|&at| at != i64::MAX);
        let now = self.ask.now;
        out[8] = published_at.map_or(0.0, |at| lately(now - at));
        out[20] = seen.map_or(0.0, |at| lately(now - at));
        if published_at.into_iter().chain(seen).min().is_some_and(|since| now < since) {
            out[9] = -1.0;
        }
    }
}

/// 1 on the first day, about 0 after three years; 0 before it.
fn lately(seconds: i64) -> f32 {
    let days = seconds as f64 / DAY;
    if days < 0.0 { 0.0 } else { (1.0 - (1.0 + days).ln() / 7.0) as f32 }
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
pub(crate) fn overlap(a: &[u32], b: &[u32]) -> f32 {
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
    /// Of the ladder.
    sum: f32,
}

impl EngineView {
    /// `top` are the engine's best courses that may be recommended, best first.
    pub(crate) fn new(top: &[u32], value: impl Fn(u32) -> f32) -> Self {
        let ladder: Vec<f32> = top.iter().map(|&c| value(c)).collect();
        Self { best: ladder.first().copied().unwrap_or(0.0), sum: ladder.iter().sum(), ladder }
    }

    pub(crate) fn features(&self, score: f32, out: &mut [f32]) {
        if self.best <= 0.0 || score <= 0.0 {
            return;
        }
        let share = (score / self.best).min(1.0);
        out[0] = share;
        out[1] = (1.0 + share / FLOOR).ln() / STEEP;
        let rank = self.ladder.partition_point(|&s| s > score);
        out[RANK] = 1.0 / (1.0 + rank as f32);
        out[3] = score / self.sum;
    }
}

/// Place of the reciprocal rank among an engine's features.
pub(crate) const RANK: usize = 2;

/// Which share of the engines has the course among its best four, and which has it first: the last of [`FACTS`].
pub(crate) fn agreement(engines: &[f32], facts: &mut [f32]) {
    let ranks = engines.chunks(PER_ENGINE).map(|part| part[RANK]);
    let count = ranks.clone().count().max(1) as f32;
    let at = facts.len() - 2;
    facts[at] = ranks.clone().filter(|&rank| rank >= 0.25).count() as f32 / count;
    facts[at + 1] = ranks.filter(|&rank| rank >= 1.0).count() as f32 / count;
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
    let engines = labels.iter().flat_map(|l| ["share", "log", "rank", "mass"].map(|kind| format!("{l}.{kind}")));
    let facts = FACTS.iter().map(|(name, _)| (*name).to_owned());
    engines.chain(facts).collect()
}

/// Number of features for this many engines.
pub(crate) fn width(engines: usize) -> usize {
    engines * PER_ENGINE + FACTS.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use crate::engine::TrainingData;
    use crate::{Catalogue, Course};

    fn facts_of(history: &[Interaction], course: u32) -> [f32; FACTS.len()] {
        let shelf = |at: u32| Course { key: at.to_string(), topics: vec![at % 2], ..Course::default() };
        let topics = vec!["Even".into(), "Odd".into()];
        let catalogue = Catalogue::new(topics, (0..12).map(shelf).collect()).expect("a good catalogue");
        let content = Content::new(&catalogue);
        let data = TrainingData { content: &content, histories: vec![history], now: 9, clock: true };
        let stats = Stats::new(&data);
        let mut out = [0.0; FACTS.len()];
        Learner::new(Ask { history, now: 9, content: &content, goals: &[] }, &stats).facts(course, &mut out);
        out
    }

    fn fact(history: &[Interaction], course: u32, name: &str) -> f32 {
        let at = FACTS.iter().position(|(fact, _)| *fact == name).expect("a fact");
        facts_of(history, course)[at]
    }

    #[test]
    fn the_shelf_is_read_around_the_course_and_after_the_latest() {
        let history = [Interaction::new(0, 1), Interaction::new(2, 2), Interaction::new(4, 3)];
        assert!(fact(&history, 6, "shelf_step") > fact(&history, 5, "shelf_step"));
        assert!(fact(&history, 5, "shelf_free") > fact(&history, 6, "shelf_free"));
        assert!(fact(&history, 6, "topic_next") > fact(&history, 5, "topic_next"));
        assert!(fact(&history, 3, "shelf_after") > fact(&history, 6, "shelf_after"));
        assert!(fact(&history, 3, "shelf_before") > fact(&history, 5, "shelf_before"));
        assert!(fact(&history, 6, "nobody_yet") > fact(&history, 2, "nobody_yet"));
    }

    #[test]
    fn agreement_is_the_share_of_engines_with_the_course_near_the_top() {
        let engines = [0.9, 0.9, 1.0, 0.5, 0.9, 0.9, 0.25, 0.1, 0.1, 0.1, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0];
        let mut facts = [0.0; FACTS.len()];
        agreement(&engines, &mut facts);
        let [.., near, first] = facts;
        assert!((near - 0.5).abs() < 1e-6 && (first - 0.25).abs() < 1e-6, "{near} {first}");
    }

    #[test]
    fn an_engine_that_is_sure_gives_its_best_course_most_of_what_it_gives() {
        let mass = |scores: [f32; 3]| {
            let mut out = [0.0; PER_ENGINE];
            EngineView::new(&[0, 1, 2], |course| scores[course as usize]).features(scores[0], &mut out);
            out[PER_ENGINE - 1]
        };
        assert!((mass([8.0, 1.0, 1.0]) - 0.8).abs() < 1e-6);
        assert!(mass([8.0, 7.0, 7.0]) < 0.4);
    }
}
