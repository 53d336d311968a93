//! The search for engines' parameters, on choices held out from the training data.

use crate::engine::{Ask, Registry, Scores, TrainingData, Values};
use crate::evaluate::metrics::{Tally, rank};
use crate::training::{Chosen, Progress, stage};
use crate::{FitError, Interaction};

/// Most learners whose last choice is asked for; more make the search slower, hardly better.
const QUESTIONS: usize = 1500;
/// A change must gain this much NDCG@10, or it is noise and the default stays.
const GAIN: f64 = 5e-4;

/// Sets the open parameters of the engines marked so: one parameter after the other, each to the
/// value with the best NDCG@10 on every learner's last choice.
pub(crate) fn tune(
    chosen: &mut [Chosen],
    data: &TrainingData<'_>,
    registry: &Registry,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), FitError> {
    let asked: Vec<usize> = (0..data.histories.len()).filter(|&i| data.histories[i].len() >= 3).collect();
    let open: Vec<usize> = (0..chosen.len()).filter(|&i| chosen[i].settings.tune).collect();
    if asked.len() < 30 || open.is_empty() {
        return Ok(());
    }
    // Evenly spread, so that the choice of learners needs no chance.
    let step = asked.len().div_ceil(QUESTIONS);
    let asked: Vec<usize> = asked.into_iter().step_by(step).collect();
    let mut rest = data.clone();
    for &learner in &asked {
        let history: &[Interaction] = data.histories[learner];
        rest.histories[learner] = &history[..history.len() - 1];
    }
    for (done, &index) in open.iter().enumerate() {
        progress(stage("parameters", done, open.len()));
        let Some(found) = registry.find(&chosen[index].engine) else {
            continue;
        };
        let given = chosen[index].settings.parameters.clone();
        let judge = |values: &Values| -> Result<f64, FitError> {
            let fitted = (found.build)(values).fit(&rest)?;
            let mut scores = Scores::new(data.content.len());
            let mut tally = Tally::new(data.content.len());
            for &learner in &asked {
                let Some((target, history)) = data.histories[learner].split_last() else {
                    continue;
                };
                let ask = Ask { history, now: target.at, content: data.content, goals: &[] };
                scores.clear();
                fitted.score(&ask, &mut scores);
                tally.add(rank(&scores, target.course, history, data.content.len()));
            }
            Ok(tally.ndcg())
        };
        let mut values = chosen[index].values.clone();
        let mut best = judge(&values)?;
        for parameter in found.parameters {
            if given.contains_key(parameter.name) {
                continue;
            }
            for &value in parameter.search {
                if (values.get(parameter.name) - value).abs() < f64::EPSILON {
                    continue;
                }
                let other = values.with(parameter.name, value);
                let found = judge(&other)?;
                if found > best + GAIN {
                    (best, values) = (found, other);
                }
            }
        }
        chosen[index].built = (found.build)(&values);
        chosen[index].values = values;
    }
    progress(stage("parameters", open.len(), open.len()));
    Ok(())
}
