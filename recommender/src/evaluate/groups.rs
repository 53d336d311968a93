//! Whom the recommender serves better and whom worse.

use serde::Serialize;

use super::Question;
use super::lists::Crowd;
use super::metrics::mean;

/// Up to this many courses a history is short.
const SHORT: usize = 4;
/// A gap (seconds) after which somebody is back after a pause.
const PAUSE: i64 = 12 * 3600;
/// A group with fewer questions says too little to be compared.
const FEWEST: usize = 30;

/// The questions of one kind of learners or moments.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// What the questions are parted by: `history`, `last_course`, `pause`.
    pub by: &'static str,
    /// Which part this is.
    pub group: &'static str,
    /// Number of questions in it.
    pub questions: usize,
    /// NDCG@10 of the mix.
    pub ndcg_10: f64,
    /// Half the width of its 95 % interval (normal approximation).
    pub ndcg_10_half_width: f64,
    /// NDCG@10 of the engine that is the best over all questions; `None` without engines.
    pub best_single: Option<f64>,
}

/// How far two groups are apart, for the mix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gap {
    /// What the questions are parted by.
    pub by: &'static str,
    /// The group served worst.
    pub worst: &'static str,
    /// The group served best.
    pub best: &'static str,
    /// NDCG@10 of the worst minus that of the best.
    pub gap: f64,
}

/// The parts by one trait: each a name and the questions that belong to it.
pub(super) struct Parting {
    by: &'static str,
    parts: [(&'static str, Vec<usize>); 2],
}

/// Parts the questions by every trait that the data knows.
pub(super) fn part(questions: &[Question<'_>], crowd: &Crowd<'_>, clock: bool) -> Vec<Parting> {
    let mut popular: Vec<u32> =
        questions.iter().filter_map(|q| q.history.last()).map(|row| crowd.taken(row.course)).collect();
    popular.sort_unstable();
    let usual = popular.get(popular.len() / 2).copied().unwrap_or(0);
    let of = |by, first, second, is_first: &dyn Fn(&Question<'_>) -> Option<bool>| {
        let at = |wanted: bool| (0..questions.len()).filter(|&at| is_first(&questions[at]) == Some(wanted)).collect();
        Parting { by, parts: [(first, at(true)), (second, at(false))] }
    };
    let mut all = vec![
        of("history", "short (up to 4)", "long (5 and more)", &|q| Some(q.history.len() <= SHORT)),
        of("last_course", "rare", "frequent", &|q| Some(crowd.taken(q.history.last()?.course) < usual)),
    ];
    if clock {
        let back = |q: &Question<'_>| Some(q.now - q.history.last()?.at >= PAUSE);
        all.push(of("pause", "after a pause", "in a sitting", &back));
    }
    all
}

/// The groups' figures, from NDCG@10 of each question for the mix and for the best engine.
pub(super) fn groups(partings: &[Parting], mix: &[f64], best: Option<&[f64]>) -> Vec<Group> {
    let figures = |parting: &Parting| {
        let by = parting.by;
        let of_part = |(group, at): &(&'static str, Vec<usize>)| {
            let gains = pick(mix, at);
            let ndcg_10 = mean(&gains);
            let squares: f64 = gains.iter().map(|gain| (gain - ndcg_10).powi(2)).sum();
            Group {
                by,
                group,
                questions: at.len(),
                ndcg_10,
                ndcg_10_half_width: 1.96 * squares.sqrt() / at.len().max(1) as f64,
                best_single: best.map(|best| mean(&pick(best, at))),
            }
        };
        parting.parts.iter().map(of_part).filter(|group| group.questions > 0).collect::<Vec<_>>()
    };
    partings.iter().flat_map(figures).collect()
}

/// The gap of each trait whose parts both have enough questions.
pub(super) fn gaps(partings: &[Parting], gains: &[f64]) -> Vec<Gap> {
    let enough = partings.iter().filter(|p| p.parts.iter().all(|(_, at)| at.len() >= FEWEST));
    let gap = |parting: &Parting| {
        let [(first, one), (second, other)] = &parting.parts;
        let (a, b) = (mean(&pick(gains, one)), mean(&pick(gains, other)));
        let (worst, best) = if a <= b { (*first, *second) } else { (*second, *first) };
        Gap { by: parting.by, worst, best, gap: -(a - b).abs() }
    };
    enough.map(gap).collect()
}

fn pick(values: &[f64], at: &[usize]) -> Vec<f64> {
    at.iter().map(|&at| values[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use crate::{Catalogue, Course, Interaction};

    #[test]
    fn learners_who_come_back_are_told_from_those_in_a_sitting_and_the_worse_served_are_named() {
        let courses = (0..6).map(|at| Course { key: at.to_string(), ..Course::default() });
        let content = Content::new(&Catalogue::new(vec![], courses.collect()).expect("good"));
        let crowd = Crowd::new(&[9, 1], 10, &content);
        let history = [Interaction::new(0, 0), Interaction::new(1, 1)];
        let soon = Question { history: &history, now: 60, answer: 2 };
        let late = Question { now: 100_000, ..soon };
        let questions: Vec<_> = (0..80).map(|at| if at % 2 == 0 { soon } else { late }).collect();
        let gains: Vec<f64> = (0..80).map(|at| if at % 2 == 0 { 0.5 } else { 0.25 }).collect();
        let partings = part(&questions, &crowd, true);
        let groups = groups(&partings, &gains, Some(&gains));
        let back = groups.iter().find(|g| g.group.starts_with("after")).expect("some are back");
        assert_eq!((back.questions, back.ndcg_10, back.best_single), (40, 0.25, Some(0.25)));
        // All histories are short: there is nothing to compare them with.
        let gaps = gaps(&partings, &gains);
        let by: Vec<_> = gaps.iter().map(|gap| gap.by).collect();
        assert_eq!(by, ["pause"]);
        assert_eq!((gaps[0].worst, gaps[0].gap), ("after a pause", -0.25));
        assert!(part(&questions, &crowd, false).iter().all(|parting| parting.by != "pause"));
    }
}
