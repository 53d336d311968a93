//! The figures of one evaluation, and how they are printed.

use std::fmt;

use serde::Serialize;

use super::{Ablated, CompletionReport, Gap, Group, MIX, Metrics};

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
    /// Seconds the whole fit took; with an ablation, all its fits.
    pub fit_seconds: f64,
    /// Microseconds per question to score and rank with the mix, the mean.
    pub answer_micros: f64,
    /// The engines in their order, then the mix.
    pub methods: Vec<Metrics>,
    /// Labels of engines that were configured but have no ground in this data.
    pub left_out: Vec<String>,
    /// Share of the training data that the most taken tenth of the courses has.
    pub head_share: f64,
    /// The mix against the best engine; `None` without engines.
    pub mix_over_best: Option<Versus>,
    /// The mix by kinds of learners and moments.
    pub groups: Vec<Group>,
    /// How far these are apart, where both have questions enough.
    pub gaps: Vec<Gap>,
    /// The completion model; `None` where completion was not measured.
    pub completion: Option<CompletionReport>,
    /// What each part of the mix earns, the dearest first; empty unless asked for.
    pub ablation: Vec<Ablated>,
}

/// The mix against the engine that is the best alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Versus {
    /// The engine with the highest NDCG@10 on these questions: chosen by hindsight, which favours it.
    pub best_single: String,
    /// NDCG@10 of the mix minus that of the engine.
    pub difference: f64,
    /// 95 % interval of the difference, by paired bootstrap over the questions.
    pub interval: (f64, f64),
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
        let width = self.methods.iter().map(|m| m.name.chars().count()).max().unwrap_or(0).max(14);
        writeln!(
            f,
            "{:<width$} {:>6} {:>8} {:>13} {:>6} {:>10} {:>12} {:>8} {:>10} {:>8}",
            "method", "HR@10", "NDCG@10", "95 %", "MRR", "recall@20", "coverage@10", "novelty", "diversity", "head@10"
        )?;
        for m in &self.methods {
            let (low, high) = m.ndcg_10_interval;
            let diversity = m.diversity_10.map_or("-".to_owned(), |value| format!("{value:.3}"));
            writeln!(
                f,
                "{:<width$} {:>6.3} {:>8.3}   {low:.3}-{high:.3} {:>6.3} {:>10.3} {:>12.3} {:>8.2} {diversity:>10} {:>8.3}",
                m.name, m.hr_10, m.ndcg_10, m.mrr, m.recall_20, m.coverage_10, m.novelty_10, m.head_10
            )?;
        }
        self.below(f)
    }
}

impl Report {
    /// What stands below the table.
    fn below(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Versus { best_single, difference, interval: (low, high) }) = &self.mix_over_best {
            writeln!(f, "mix − {best_single}: {difference:+.4} ({low:+.4} to {high:+.4})")?;
        }
        writeln!(f, "the most taken tenth of the courses has {:.3} of what was taken", self.head_share)?;
        if !self.left_out.is_empty() {
            writeln!(f, "left out, having no ground in this data: {}", self.left_out.join(", "))?;
        }
        for group in &self.groups {
            let best = group.best_single.map_or(String::new(), |best| format!(", best engine {best:.3}"));
            writeln!(
                f,
                "{}: {}: {} questions, mix {:.3} ± {:.3}{best}",
                group.by, group.group, group.questions, group.ndcg_10, group.ndcg_10_half_width
            )?;
        }
        for gap in &self.gaps {
            writeln!(f, "{}: gap {:+.3} ({} against {})", gap.by, gap.gap, gap.worst, gap.best)?;
        }
        if let Some(c) = &self.completion {
            writeln!(
                f,
                "completion: {} rows, {:.3} of them completed; AUC {:.3}, Brier {:.3}, ECE {:.3}",
                c.rows, c.base_rate, c.auc, c.brier, c.ece
            )?;
        }
        if !self.ablation.is_empty() {
            writeln!(f, "{:<9} {:<20} {:>8} {:>9} {:>18}", "without", "", "NDCG@10", "change", "95 %")?;
        }
        for a in &self.ablation {
            let (low, high) = a.interval;
            let interval = format!("{low:+.4} to {high:+.4}");
            writeln!(f, "{:<9} {:<20} {:>8.4} {:>+9.4} {interval:>18}", a.kind, a.part, a.ndcg_10, a.difference)?;
        }
        Ok(())
    }
}
