//! A `stoa` with one more engine: "newest first". A crate outside Stoa's repository has this as its `main.rs`.
//!
//!     cargo run -p stoa-api --example own_engine -- demo
//!
//! and, in `stoa.toml`, the engine beside others:
//!
//! ```toml
//! [[recommender.engines]]
//! engine = "newest"
//! parameters = { half_life_days = 60 }
//!
//! [[recommender.engines]]
//! engine = "rules"
//! ```

use std::process::ExitCode;

use stoa_recommender::{
    Content, FitError, ReasonKind, Registry,
    engine::{Ask, Engine, Evidence, Parameter, Registration, Scorer, Scores, TrainingData},
};

fn main() -> ExitCode {
    let mut registry = Registry::standard();
    registry.register(NEWEST);
    stoa_api::main_with(registry)
}

/// How it is named in the settings, and what can be set.
pub(crate) const NEWEST: Registration = Registration {
    name: "newest",
    parameters: &[Parameter {
        name: "half_life_days",
        default: 30.0,
        min: 1.0,
        max: 3_650.0,
        search: &[],
        meaning: "after so many days a course counts half",
    }],
    build: |values| Box::new(Newest { half_life_days: values.get("half_life_days") }),
    load: |bytes| {
        let bytes = bytes.try_into().map_err(|_| "newest: expected eight bytes".to_owned())?;
        Ok(Box::new(Newest { half_life_days: f64::from_le_bytes(bytes) }))
    },
};

/// A course's score halves with every half-life of its age. There is nothing to learn, so the engine is its own scorer.
struct Newest {
    half_life_days: f64,
}

impl Newest {
    fn of(&self, content: &Content, course: u32, now: i64) -> f32 {
        let Some(published_at) = content.facts(course).and_then(|facts| facts.published_at) else { return 0.0 };
        let days = (now - published_at).max(0) as f64 / 86_400.0;
        0.5_f64.powf(days / self.half_life_days) as f32
    }
}

impl Engine for Newest {
    fn fit(&self, _: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        Ok(Box::new(Self { half_life_days: self.half_life_days }))
    }
}

impl Scorer for Newest {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        for course in 0..u32::try_from(ask.content.len()).unwrap_or(u32::MAX) {
            out.add(course, self.of(ask.content, course, ask.now));
        }
    }

    fn explain(&self, _: &Ask<'_>, _: u32) -> Evidence {
        Evidence::default()
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::Freshness
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.half_life_days.to_le_bytes().to_vec()
    }
}
