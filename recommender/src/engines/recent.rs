//! Popularity that fades: each first visit counts `2^(-age / half-life)`.
//!
//! Exponential forgetting as in Koren, "Collaborative filtering with temporal dynamics" (KDD 2009),
//! applied to counts. The sum is kept as it stood at each visit, so the score is known for any time
//! of asking and never looks ahead of it: `S(now) = S(t) · 2^(-(now - t) / half-life)`, t being the
//! latest visit before now. Without a clock it is plain popularity.
//!
//! Visits after the training are added to the sums at the end of it, all of which fade by the time that
//! passed: their ratios are those of a fit.

use serde::{Deserialize, Serialize};

use crate::engine::{
    Arrival, Ask, Engine, Evidence, Ordered, Parameter, Registration, Scorer, Scores, Standing, TrainingData,
};
use crate::{FitError, ReasonKind};

const DAY: f64 = 86_400.0;

pub(crate) const REGISTRATION: Registration = Registration {
    name: "recent",
    parameters: &[
        Parameter {
            name: "half_life_days",
            default: 14.0,
            min: 0.01,
            max: 36_500.0,
            search: &[0.5, 1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 120.0, 365.0],
            meaning: "days after which a visit counts half",
        },
        Parameter {
            name: "pause_hours",
            default: 0.0,
            min: 0.0,
            max: 87_600.0,
            search: &[],
            meaning: "count only visits after a pause as long as this: with what learners come back",
        },
    ],
    build: |values| {
        Box::new(Recent {
            half_life: values.get("half_life_days") * DAY,
            pause: (values.get("pause_hours") * 3600.0) as i64,
        })
    },
    load: super::load::<Fitted>,
};

struct Recent {
    /// Seconds.
    half_life: f64,
    /// Seconds.
    pause: i64,
}

impl Engine for Recent {
    fn has_ground(&self, data: &TrainingData<'_>) -> bool {
        data.clock
    }

    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let mut times = vec![Vec::new(); data.content.len()];
        for history in &data.histories {
            let mut before = None;
            for row in *history {
                let back = before.is_none_or(|before| row.at - before >= self.pause);
                if back || !data.clock {
                    times[row.course as usize].push(super::next_hour(row.at));
                }
                before = Some(row.at);
            }
        }
        // Marks closer together than this are merged, so that memory doesn't grow with the visits.
        let step = (self.half_life / 32.0) as i64;
        let mut fitted = Fitted {
            half_life: self.half_life,
            pause: self.pause,
            clock: data.clock,
            last: data.now,
            offsets: vec![0],
            marks: Vec::new(),
            latest: Ordered::default(),
            absorbed: None,
        };
        let mut latest = Vec::with_capacity(times.len());
        for mut times in times {
            times.sort_unstable();
            let start = fitted.marks.len();
            for &at in &times {
                match fitted.marks[start..].last().copied() {
                    Some((mark, sum)) if at - mark <= step => {
                        let at_end = fitted.marks.len() - 1;
                        fitted.marks[at_end].1 = sum + 1.0;
                    }
                    Some((mark, sum)) => {
                        let faded = sum * fitted.fade(at - mark);
                        fitted.marks.push((at, faded + 1.0));
                    }
                    None => fitted.marks.push((at, 1.0)),
                }
            }
            fitted.offsets.push(fitted.marks.len() as u32);
            let end = match fitted.marks[start..].last() {
                _ if !data.clock => times.len() as f32,
                Some(&(mark, sum)) => sum * fitted.fade((data.now - mark).max(0)),
                None => 0.0,
            };
            latest.push(end);
        }
        fitted.latest = Ordered::new(latest);
        Ok(Box::new(fitted))
    }
}

#[derive(Serialize, Deserialize)]
struct Fitted {
    half_life: f64,
    pause: i64,
    clock: bool,
    last: i64,
    offsets: Vec<u32>,
    /// For each course: (time, faded count at that time).
    marks: Vec<(i64, f32)>,
    /// The scores at the end of the training data, or when the latest visit was absorbed.
    latest: Ordered,
    /// When the latest visit was absorbed: the time for which `latest` stands.
    #[serde(skip)]
    absorbed: Option<i64>,
}

impl Fitted {
    fn fade(&self, seconds: i64) -> f32 {
        (-(seconds as f64) / self.half_life).exp2() as f32
    }

    fn at(&self, course: u32, now: i64) -> f32 {
        let index = course as usize;
        if !self.clock || now >= self.last {
            // All fade alike from here on, so the order and the ratios are those of `last`.
            return self.latest.get(course);
        }
        let (Some(&from), Some(&to)) = (self.offsets.get(index), self.offsets.get(index + 1)) else {
            return 0.0;
        };
        let marks = self.marks.get(from as usize..to as usize);
        let marks = marks.unwrap_or_default();
        let before = marks.partition_point(|m| m.0 < now);
        marks[..before].last().map_or(0.0, |&(mark, sum)| sum * self.fade(now - mark))
    }
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        for course in 0..self.latest.courses() {
            let value = self.at(course, ask.now);
            if value > 0.0 {
                out.add(course, value);
            }
        }
    }

    fn standing(&self, ask: &Ask<'_>) -> Option<Standing<'_>> {
        (!self.clock || ask.now >= self.last).then(|| self.latest.standing())
    }

    fn absorb(&mut self, arrival: &Arrival<'_>) -> bool {
        let row = arrival.row;
        let back = arrival.history.last().is_none_or(|before| row.at - before.at >= self.pause);
        if !back && self.clock {
            return false;
        }
        let mut gain = 1.0;
        if self.clock {
            let before = self.absorbed.unwrap_or(self.last);
            let now = before.max(row.at);
            if now > before {
                self.latest.scale(self.fade(now - before));
            }
            gain = self.fade((now - super::next_hour(row.at)).max(0));
            self.absorbed = Some(now);
        }
        // What has faded to nothing can't be put in order.
        if gain > 0.0 {
            self.latest.add(row.course, gain);
        }
        true
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        Evidence { learners: Some(self.at(course, ask.now) as u32), ..Evidence::default() }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::PopularNow
    }

    fn to_bytes(&self) -> Vec<u8> {
        super::save(self)
    }
}
