//! Candidates: the courses that some engine proposes, with their features.

use crate::content::Content;
use crate::engine::{Arrival, Ask, Load, Scorer, Scores, Standing};
use crate::features::{EngineView, FACTS, Learner, PER_ENGINE, agreement, top, width};
use crate::stats::Stats;

/// A fitted engine under its label.
pub(crate) struct FittedEngine {
    /// Name in the registry.
    pub(crate) engine: String,
    /// Name in features and reports.
    pub(crate) label: String,
    /// Whether it speaks only for those without a history.
    pub(crate) cold: bool,
    /// Reads the scorer back from its bytes.
    pub(crate) load: Load,
    pub(crate) scorer: Box<dyn Scorer>,
}

/// What a model knows from interactions: all that a new one may change.
pub(crate) struct Known {
    pub(crate) engines: Vec<FittedEngine>,
    pub(crate) stats: Stats,
}

impl Known {
    /// A copy of its own, that may change; nothing if an engine does not read back what it wrote.
    pub(crate) fn copy(&self) -> Option<Self> {
        let copy = |engine: &FittedEngine| {
            let scorer = (engine.load)(&engine.scorer.to_bytes()).ok()?;
            let (name, label) = (engine.engine.clone(), engine.label.clone());
            Some(FittedEngine { engine: name, label, cold: engine.cold, load: engine.load, scorer })
        };
        let engines = self.engines.iter().map(copy).collect::<Option<_>>()?;
        Some(Self { engines, stats: self.stats.clone() })
    }

    /// Counts a new interaction; whether any engine took it in.
    pub(crate) fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        self.stats.absorb(arrival.row);
        // Not `any`, which would stop at the first.
        self.engines.iter_mut().filter_map(|engine| engine.scorer.absorb(arrival).then_some(())).count() > 0
    }
}

/// Room for scoring, used again from one question to the next.
pub(crate) struct Desk {
    scores: Vec<Scores>,
    proposed: Vec<bool>,
    pub(crate) courses: Vec<u32>,
    /// `courses.len()` × `width`, row by row.
    pub(crate) rows: Vec<f32>,
    pub(crate) width: usize,
}

impl Desk {
    pub(crate) fn new(engines: usize, courses: usize) -> Self {
        Self {
            scores: vec![Scores::new(courses); engines],
            proposed: vec![false; courses],
            courses: Vec::new(),
            rows: Vec::new(),
            width: width(engines),
        }
    }

    pub(crate) fn row(&self, index: usize) -> &[f32] {
        &self.rows[index * self.width..(index + 1) * self.width]
    }

    /// Every engine's scores, the union of their best `count` courses, and those courses' features.
    /// `extra` are courses to look at in any case.
    pub(crate) fn gather(
        &mut self,
        engines: &[FittedEngine],
        learner: &Learner<'_>,
        ask: &Ask<'_>,
        count: usize,
        extra: &[u32],
        open: impl Fn(u32) -> bool,
    ) {
        self.courses.clear();
        self.rows.clear();
        let mut views = Vec::with_capacity(engines.len());
        for (engine, scores) in engines.iter().zip(&mut self.scores) {
            scores.clear();
            if engine.cold && !ask.history.is_empty() {
                views.push((None, EngineView::new(&[], |_| 0.0)));
                continue;
            }
            let standing = engine.scorer.standing(ask);
            let free = |c: u32| !learner.has(c) && open(c);
            let best: Vec<u32> = if let Some(standing) = standing {
                let order = standing.order.iter().copied();
                order.filter(|&c| in_range(c, ask.content) && free(c)).take(count).collect()
            } else {
                engine.scorer.score(ask, scores);
                top(scores, count, free)
            };
            for &course in &best {
                propose(course, &mut self.proposed, &mut self.courses);
            }
            let value = |c: u32| value(standing, scores, c);
            views.push((standing, EngineView::new(&best, value)));
        }
        for &course in extra {
            if in_range(course, ask.content) && !learner.has(course) && open(course) {
                propose(course, &mut self.proposed, &mut self.courses);
            }
        }
        self.rows.resize(self.courses.len() * self.width, 0.0);
        let facts_at = self.width - FACTS.len();
        for (&course, row) in self.courses.iter().zip(self.rows.chunks_mut(self.width)) {
            self.proposed[course as usize] = false;
            let parts = row.chunks_mut(PER_ENGINE);
            for ((scores, (standing, view)), part) in self.scores.iter().zip(&views).zip(parts) {
                view.features(value(*standing, scores, course), part);
            }
            let (engines, facts) = row.split_at_mut(facts_at);
            agreement(engines, facts);
            learner.facts(course, facts);
        }
    }
}

/// An engine's score of a course, from what stands or what was added up.
fn value(standing: Option<Standing<'_>>, scores: &Scores, course: u32) -> f32 {
    match standing {
        Some(standing) => standing.values.get(course as usize).copied().unwrap_or(0.0),
        None => scores.get(course),
    }
}

fn in_range(course: u32, content: &Content) -> bool {
    (course as usize) < content.len()
}

fn propose(course: u32, proposed: &mut [bool], courses: &mut Vec<u32>) {
    let seen = &mut proposed[course as usize];
    if !*seen {
        *seen = true;
        courses.push(course);
    }
}
