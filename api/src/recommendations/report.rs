//! What came of an experiment: rates for each arm, and what it would have been without exploration.
//!
//! Learners are split, not impressions, and one learner's impressions are alike. So arms are compared by the share of
//! learners; the rates for each impression stand beside, with intervals that are narrower than they should be.

use std::{collections::HashMap, fmt};

use serde::Serialize;
use stoa_recommender::offpolicy::{self, Estimate, Estimates, Logged, Prediction};

use super::{Feed, store::outcome};
use crate::db::DbError;

/// What is counted, and what it is called in the report.
const KINDS: [(&str, &str); 7] = [
    ("CLICK", "opened"),
    ("ENROLMENT", "taken"),
    ("COMPLETION", "completed"),
    ("LIKE", "liked"),
    ("DISMISS", "dismissed"),
    ("LESS_LIKE_THIS", "less like this"),
    ("ALREADY_KNOW", "already known"),
];
/// No logged course counts for more than so many.
const CLIP: f64 = 100.0;

/// What came of an experiment. Sums that would speak of fewer learners than `smallest_group` are `null`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExperimentReport {
    /// Its name; empty for the lists that were in none.
    pub experiment: String,
    /// The smallest number of learners that a sum speaks of.
    pub smallest_group: u32,
    /// Its arms, in the order of the configuration, then those of the log that it does not name.
    pub arms: Vec<PartReport>,
    /// The same lists by who made them; none at all if one of these parts is too small, since the rest would tell of it.
    pub engines: Vec<PartReport>,
}

/// What came of the lists of an arm, or of an engine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartReport {
    /// The arm or engine.
    pub name: String,
    /// The share of the learners that it should have had; of arms that are configured.
    pub share: Option<f64>,
    /// How many learners were shown a course.
    pub learners: Option<u64>,
    /// How many courses were shown.
    pub impressions: Option<u64>,
    /// What came of them.
    pub rates: Vec<Rate>,
    /// How often a course that is shown would have been taken if nothing had been there to find out.
    pub without_exploration: Option<Estimates>,
}

/// How often something happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// What: the name of an event.
    pub kind: &'static str,
    /// Of the learners, how many did it at least once.
    pub learners: Option<Share>,
    /// Of the courses that were shown, how many it happened to; completions are of those that were taken.
    pub times: Option<Share>,
    /// By how much the share of learners is above that of the first arm.
    pub above_first: Option<Estimate>,
}

/// So many of so many, with the 95 % interval (Wilson's).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// So many.
    pub count: u64,
    /// Of so many.
    pub of: u64,
    /// The share.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

impl Share {
    fn new(count: u64, of: u64) -> Self {
        let (low, high) = offpolicy::wilson(count, of);
        Self { count, of, value: if of == 0 { 0.0 } else { count as f64 / of as f64 }, low, high }
    }
}

impl Feed {
    /// What came of an experiment, or with an empty name of the lists that were in none.
    pub async fn report(&self, experiment: &str, smallest_group: u32) -> Result<ExperimentReport, DbError> {
        let configured = Some(&self.experiment).filter(|settings| settings.name == experiment);
        let whole: f64 = configured.iter().flat_map(|settings| &settings.arms).map(|arm| arm.weight).sum();
        let shares: Vec<_> = configured
            .iter()
            .flat_map(|settings| &settings.arms)
            .map(|arm| (arm.name.clone(), Some(arm.weight / whole)))
            .collect();
        let arms = self.parts(experiment, "ARM", shares, smallest_group).await?;
        let mut engines = self.parts(experiment, "ENGINE", Vec::new(), smallest_group).await?;
        if engines.iter().any(|part| part.learners.is_none()) {
            engines.clear();
        }
        Ok(ExperimentReport { experiment: experiment.to_owned(), smallest_group, arms, engines })
    }

    async fn parts(
        &self,
        experiment: &str,
        by: &str,
        mut names: Vec<(String, Option<f64>)>,
        smallest_group: u32,
    ) -> Result<Vec<PartReport>, DbError> {
        let mut shown = outcome::shown(&self.db, experiment, by).await?;
        shown.sort_by(|a, b| a.part.cmp(&b.part));
        let happened = outcome::happened(&self.db, experiment, by).await?;
        let mut logged: HashMap<String, Vec<outcome::LoggedRow>> = HashMap::new();
        outcome::each_logged(&self.db, experiment, by, |row| {
            // Most rows are of a part that is there.
            if let Some(rows) = logged.get_mut(&row.part) {
                rows.push(row);
            } else {
                logged.insert(row.part.clone(), vec![row]);
            }
        })
        .await?;
        for part in &shown {
            if !names.iter().any(|(name, _)| *name == part.part) {
                names.push((part.part.clone(), None));
            }
        }
        let mut parts: Vec<PartReport> = Vec::with_capacity(names.len());
        for (name, share) in names {
            let counts = Counts {
                shown: shown.iter().find(|part| part.part == name),
                happened: happened.iter().filter(|part| part.part == name).collect(),
                logged: logged.get(&name).map_or(&[], Vec::as_slice),
            };
            let part = counts.report(name, share, u64::from(smallest_group), parts.first());
            parts.push(part);
        }
        Ok(parts)
    }
}

/// What was counted of one part.
struct Counts<'a> {
    shown: Option<&'a outcome::PartShown>,
    happened: Vec<&'a outcome::PartHappened>,
    logged: &'a [outcome::LoggedRow],
}

impl Counts<'_> {
    fn report(&self, name: String, share: Option<f64>, smallest: u64, first: Option<&PartReport>) -> PartReport {
        let (learners, impressions) =
            self.shown.map_or((0, 0), |shown| (shown.learners.unsigned_abs(), shown.shown.unsigned_abs()));
        let enough = learners >= smallest;
        let taken = self.times("ENROLMENT").0;
        let rates: Vec<_> = KINDS
            .iter()
            .map(|(kind, _)| {
                let (times, by) = self.times(kind);
                // A smaller group would tell of single learners, and so would the rest.
                let tells = enough && by >= smallest && learners - by.min(learners) >= smallest;
                let of = if *kind == "COMPLETION" { taken } else { impressions };
                let learners = tells.then(|| Share::new(by, learners));
                let before = first.and_then(|first| first.rates.iter().find(|rate| rate.kind == *kind)?.learners);
                Rate {
                    kind,
                    learners,
                    times: tells.then(|| Share::new(times, of)),
                    above_first: above(learners, before),
                }
            })
            .collect();
        let tells_taken = rates.iter().any(|rate| rate.kind == "ENROLMENT" && rate.learners.is_some());
        PartReport {
            name,
            share,
            learners: enough.then_some(learners),
            impressions: enough.then_some(impressions),
            rates,
            without_exploration: if tells_taken { without_exploration(self.logged) } else { None },
        }
    }

    /// How often something happened, and to how many learners.
    fn times(&self, kind: &str) -> (u64, u64) {
        let found = self.happened.iter().find(|happened| happened.kind == kind);
        found.map_or((0, 0), |found| (found.times.unsigned_abs(), found.learners.unsigned_abs()))
    }
}

fn above(this: Option<Share>, first: Option<Share>) -> Option<Estimate> {
    let (this, first) = (this?, first?);
    let (low, high) = offpolicy::difference((this.count, this.of), (first.count, first.of));
    Some(Estimate { value: this.value - first.value, low, high })
}

/// What the same lists would have earned with every place as it was ranked. `None` if nothing was explored.
///
/// Without exploration, a course that was ranked into its place stands there for certain, and one that was put there to
/// find out does not. The reward model is the mean of the other rows of the same place and kind.
fn without_exploration(rows: &[outcome::LoggedRow]) -> Option<Estimates> {
    if !rows.iter().any(|row| row.explored) {
        return None;
    }
    let mut cells: HashMap<(i64, bool), (f64, f64)> = HashMap::new();
    let mut all = (0.0, 0.0);
    let reward = |row: &outcome::LoggedRow| if row.taken { 1.0 } else { 0.0 };
    for row in rows {
        for (sum, count) in [cells.entry((row.position, row.explored)).or_default(), &mut all] {
            *sum += reward(row);
            *count += 1.0;
        }
    }
    let without = |(sum, count): (f64, f64), row: Option<f64>| {
        let (sum, count) = row.map_or((sum, count), |reward| (sum - reward, count - 1.0));
        (count > 0.0).then(|| sum / count)
    };
    let logged: Vec<_> = rows
        .iter()
        .map(|row| {
            let own = Some(reward(row));
            let mean = |explored: bool| {
                let cell = cells.get(&(row.position, explored)).copied().unwrap_or_default();
                let of_cell = without(cell, own.filter(|_| explored == row.explored));
                of_cell.or_else(|| without(all, own)).unwrap_or(0.0)
            };
            Logged {
                reward: reward(row),
                propensity: row.propensity as f64 / 1e6,
                target: if row.explored { 0.0 } else { 1.0 },
                predicted: Some(Prediction { shown: mean(row.explored), target: mean(false) }),
            }
        })
        .collect();
    offpolicy::estimate(&logged, Some(CLIP)).ok()
}

impl fmt::Display for ExperimentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.experiment.is_empty() {
            writeln!(f, "Lists that were in no experiment")?;
        } else {
            writeln!(f, "Experiment {:?}", self.experiment)?;
        }
        if self.arms.is_empty() {
            return writeln!(f, "Nothing was shown yet.");
        }
        writeln!(f, "A dash stands for fewer than {} learners, or for fewer who did not.", self.smallest_group)?;
        for part in &self.arms {
            part.write(f, if part.name.is_empty() { "everybody" } else { "arm" }, self.smallest_group)?;
        }
        for part in &self.engines {
            part.write(f, "lists by", self.smallest_group)?;
        }
        Ok(())
    }
}

impl PartReport {
    fn write(&self, f: &mut fmt::Formatter<'_>, what: &str, smallest_group: u32) -> fmt::Result {
        write!(f, "\n{}", format!("{what} {}", self.name).trim_end())?;
        if let Some(share) = self.share {
            write!(f, " ({:.0} % of the learners)", share * 100.0)?;
        }
        let (Some(learners), Some(impressions)) = (self.learners, self.impressions) else {
            return writeln!(f, ": fewer than {smallest_group} learners");
        };
        writeln!(f, ": {learners} learners, {impressions} courses shown")?;
        writeln!(f, "  {:<15} {:<24} {:<24} above the first arm", "", "learners, %", "courses shown, %")?;
        for (rate, (_, name)) in self.rates.iter().zip(KINDS) {
            let above = rate.above_first.map_or(String::new(), |above| percent(above.value, above.low, above.high));
            let line = format!("  {name:<15} {:<24} {:<24} {above}", shown(rate.learners), shown(rate.times));
            writeln!(f, "{}", line.trim_end())?;
        }
        if let Some(estimates) = &self.without_exploration {
            writeln!(f, "  taken, of 100 shown, had nothing been explored:")?;
            let found = [("IPS", Some(estimates.ips)), ("SNIPS", Some(estimates.snips)), ("DR", estimates.dr)];
            for (name, estimate) in found {
                if let Some(Estimate { value, low, high }) = estimate {
                    writeln!(f, "    {name:<6} {}", percent(value, low, high))?;
                }
            }
        }
        Ok(())
    }
}

fn shown(share: Option<Share>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| percent(share.value, share.low, share.high))
}

fn percent(value: f64, low: f64, high: f64) -> String {
    format!("{:.2} ({:.2} to {:.2})", value * 100.0, low * 100.0, high * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(position: i64, explored: bool, propensity: i64, taken: bool) -> outcome::LoggedRow {
        outcome::LoggedRow { part: String::new(), position, propensity, explored, taken }
    }

    #[test]
    fn without_exploration_the_ranked_courses_alone_count() {
        // In nine of ten lists the ranked course stands there and is taken half the time, in one another, never taken.
        let rows: Vec<_> =
            (0..1_000).map(|n| row(1, n % 10 == 0, if n % 10 == 0 { 100_000 } else { 900_000 }, n % 2 == 1)).collect();
        let found = without_exploration(&rows).unwrap();
        let taken = 500.0 / 900.0;
        for estimate in [found.ips, found.snips, found.dr.unwrap()] {
            assert!((estimate.value - taken).abs() < 0.01, "{estimate:?}");
            assert!(estimate.low < taken && taken < estimate.high, "{estimate:?}");
        }
        assert_eq!(without_exploration(&[row(1, false, 1_000_000, true), row(2, false, 1_000_000, false)]), None);
    }

    fn counts(learners: i64, enrolled: i64) -> (outcome::PartShown, outcome::PartHappened) {
        let part = String::from("a");
        let shown = outcome::PartShown { part: part.clone(), shown: learners * 3, learners };
        (shown, outcome::PartHappened { part, kind: "ENROLMENT".to_owned(), times: enrolled, learners: enrolled })
    }

    #[test]
    fn sums_of_fewer_than_the_smallest_group_are_not_told() {
        for (learners, enrolled, told, rate_told) in
            [(9, 9, false, false), (30, 9, true, false), (30, 10, true, true), (30, 21, true, false)]
        {
            let (shown, happened) = counts(learners, enrolled);
            let counts = Counts { shown: Some(&shown), happened: vec![&happened], logged: &[] };
            let part = counts.report("a".to_owned(), None, 10, None);
            assert_eq!(part.learners.is_some(), told, "{learners} {enrolled}");
            assert_eq!(part.rates[1].learners.is_some(), rate_told, "{learners} {enrolled}");
            assert_eq!(part.rates[1].times.is_some(), rate_told, "{learners} {enrolled}");
        }
    }
}
