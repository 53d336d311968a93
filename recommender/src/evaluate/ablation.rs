//! Which part of the mix earns what: it is fitted again without the part, and asked the same questions.

use std::mem;
use std::sync::Arc;

use serde::Serialize;

use super::Question;
use super::judge::{judge_mix, slotted};
use crate::engine::{Ask, Evidence, Scorer, Scores};
use crate::features::{COMPLETION_CROSS, FACTS, PER_ENGINE, SITUATIONS, TIME_CROSSES};
use crate::ranker::Choice;
use crate::reasons::ReasonKind;
use crate::{Catalogue, Model};

/// What the mix loses without one of its parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ablated {
    /// `engine` or `features`.
    pub kind: &'static str,
    /// The engine's label, or the group of features.
    pub part: String,
    /// NDCG@10 without it.
    pub ndcg_10: f64,
    /// NDCG@10 without it minus that of the whole mix: below zero, it earns its place.
    pub difference: f64,
    /// 95 % interval of the difference, by paired bootstrap.
    pub interval: (f64, f64),
}

/// The groups of facts: name and the reasons they give.
const GROUPS: [(&str, &[ReasonKind]); 8] = [
    ("completion", &[ReasonKind::CompletionRate]),
    ("topics", &[ReasonKind::TimeOnTopic]),
    ("level", &[ReasonKind::NextLevel]),
    ("prerequisites", &[ReasonKind::PrerequisitesMet]),
    ("freshness", &[ReasonKind::Freshness]),
    ("shelf", &[ReasonKind::NextInCatalogue]),
    ("length", &[ReasonKind::Length]),
    // The engines themselves are parts of their own.
    ("agreement", &[ReasonKind::TakenNext]),
];

/// A part that can be left out.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(super) kind: &'static str,
    pub(super) name: String,
    engine: Option<usize>,
    columns: Vec<usize>,
    situations: Vec<usize>,
}

impl Part {
    /// Every engine, every group of facts, and the crosses with time.
    pub(crate) fn all<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<Self> {
        let mut parts: Vec<Self> = labels
            .enumerate()
            .map(|(engine, label)| Self {
                kind: "engine",
                name: label.to_owned(),
                engine: Some(engine),
                columns: (engine * PER_ENGINE..(engine + 1) * PER_ENGINE).collect(),
                situations: Vec::new(),
            })
            .collect();
        let first = parts.len() * PER_ENGINE;
        // Without the others, a single engine leaves nothing to rank by.
        if parts.len() == 1 {
            parts.clear();
        }
        let features = |name: &str, columns, situations| Self {
            kind: "features",
            name: name.to_owned(),
            engine: None,
            columns,
            situations,
        };
        parts.push(features("time crosses", Vec::new(), TIME_CROSSES.to_vec()));
        for (name, kinds) in GROUPS {
            let columns = (0..FACTS.len()).filter(|&at| kinds.contains(&FACTS[at].1)).map(|at| first + at).collect();
            let crosses = if name == "completion" { vec![COMPLETION_CROSS] } else { Vec::new() };
            parts.push(features(name, columns, crosses));
        }
        parts
    }

    /// Takes the part out of the choices. Whether there was anything of it.
    pub(crate) fn hide(&self, choices: &mut [Choice], width: usize) -> bool {
        let mut found = false;
        let mut clear = |value: bool| found |= value;
        for choice in choices {
            for &situation in &self.situations {
                clear(mem::take(&mut choice.situation[situation]) != 0.0);
            }
            for row in choice.rows.chunks_mut(width) {
                for &column in &self.columns {
                    clear(mem::take(&mut row[column]) != 0.0);
                }
            }
        }
        found
    }

    /// Weights that don't look at the part, whatever the fit left there.
    pub(crate) fn silence(&self, weights: &mut [f64], width: usize) {
        for &situation in &self.situations {
            weights[situation * width..(situation + 1) * width].fill(0.0);
        }
        for situation in 0..SITUATIONS {
            for &column in &self.columns {
                weights[situation * width + column] = 0.0;
            }
        }
    }
}

/// An engine that is left out: it proposes nothing.
struct Mute(ReasonKind);

impl Scorer for Mute {
    fn score(&self, _: &Ask<'_>, _: &mut Scores) {}

    fn explain(&self, _: &Ask<'_>, _: u32) -> Evidence {
        Evidence::default()
    }

    fn kind(&self) -> ReasonKind {
        self.0
    }

    fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// The ranks that the mix gives without each part: its weights are others, and what only a left out
/// engine proposes is no candidate.
pub(super) fn ranks_without(
    mut model: Model,
    catalogue: &Catalogue,
    questions: &[Question<'_>],
    without: Vec<(Part, Vec<f64>)>,
    mut done: impl FnMut(usize, usize),
) -> Vec<(Part, Vec<f64>)> {
    let mut all = Vec::with_capacity(without.len());
    let steps = without.len();
    for (step, (part, weights)) in without.into_iter().enumerate() {
        done(step, steps);
        let Some((whole, scorer)) = swap(&mut model, &part, weights, None) else {
            break;
        };
        let Ok(recommender) = model.bind(catalogue) else {
            break;
        };
        let ranks = judge_mix(&recommender, &slotted(&recommender, questions));
        model = recommender.model().clone();
        drop(recommender);
        swap(&mut model, &part, whole, scorer);
        all.push((part, ranks));
    }
    all
}

/// Puts in other weights, and a scorer (or one that proposes nothing) for the part's engine; gives back
/// what was there. `None` if somebody else holds the model too.
#[expect(clippy::type_complexity, reason = "weights and a scorer, given back at once")]
fn swap(
    model: &mut Model,
    part: &Part,
    weights: Vec<f64>,
    scorer: Option<Box<dyn Scorer>>,
) -> Option<(Vec<f64>, Option<Box<dyn Scorer>>)> {
    let inner = Arc::get_mut(&mut model.0)?;
    let weights = mem::replace(&mut inner.weights, weights);
    let scorer = part.engine.and_then(|at| inner.known.engines.get_mut(at)).map(|engine| {
        let mute = || Box::new(Mute(engine.scorer.kind())) as Box<dyn Scorer>;
        let scorer = scorer.unwrap_or_else(mute);
        mem::replace(&mut engine.scorer, scorer)
    });
    Some((weights, scorer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::width;

    #[test]
    fn a_part_is_taken_out_of_choices_and_weights_and_nothing_else_is() {
        let parts = Part::all(["rules", "ease"].into_iter());
        let width = width(2);
        let ease = parts.iter().find(|part| part.name == "ease").expect("each engine is a part");
        let mut choices =
            vec![Choice { situation: [1.0; SITUATIONS], rows: vec![1.0; 2 * width], stands_for: vec![1.0; 2] }];
        assert!(ease.hide(&mut choices, width));
        assert!(!ease.hide(&mut choices, width), "it is gone");
        assert!((choices[0].rows.iter().sum::<f32>() - (2 * (width - PER_ENGINE)) as f32).abs() < 1e-6);
        let time = &parts[2];
        let mut weights = vec![1.0; SITUATIONS * width];
        time.silence(&mut weights, width);
        assert!((weights.iter().sum::<f64>() - ((SITUATIONS - 4) * width) as f64).abs() < 1e-9);
        let facts: usize = parts.iter().filter(|part| part.kind == "features").map(|part| part.columns.len()).sum();
        assert_eq!(facts, FACTS.len(), "every fact is in one group");
    }

    #[test]
    fn of_a_single_engine_only_the_facts_are_left_out_and_never_its_own_columns() {
        let parts = Part::all(["rules"].into_iter());
        assert!(parts.iter().all(|part| part.kind == "features"));
        let columns = parts.iter().flat_map(|part| &part.columns);
        assert!(columns.clone().all(|&column| (PER_ENGINE..width(1)).contains(&column)));
    }
}
