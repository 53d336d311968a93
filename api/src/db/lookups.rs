//! How often what is kept in memory spared a statement, for each of the things that are kept.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter},
};

use super::{Db, fresh::Fresh};
use crate::observe::Register;

const THROWN_AWAY: &str = "stoa_catalogue_thrown_away";
const THROWN_AWAY_HELP: &str = "How often all that is kept of the catalogue was thrown away";

/// What is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Memory {
    /// The catalogue, decoded.
    Catalogue,
    /// Pages of forums, and their latest threads.
    Forums,
    /// What learners did in the lessons of a course.
    Records,
}

impl Memory {
    const ALL: [Self; 3] = [Self::Catalogue, Self::Forums, Self::Records];

    const fn name(self) -> &'static str {
        match self {
            Self::Catalogue => "stoa_catalogue_lookups",
            Self::Forums => "stoa_forum_lookups",
            Self::Records => "stoa_record_lookups",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::Catalogue => "Looks at what is kept of the catalogue",
            Self::Forums => "Looks at what is kept of forums: pages, and what is unread",
            Self::Records => "Looks at what is kept of learners' records in courses",
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
}

/// The figures of what is kept.
#[derive(Debug)]
pub(super) struct Lookups {
    of: [Counts; Memory::ALL.len()],
    fresh: Arc<Fresh>,
}

impl Lookups {
    pub(super) fn new(fresh: &Arc<Fresh>) -> Self {
        Self { of: Default::default(), fresh: Arc::clone(fresh) }
    }

    pub(super) fn describe(register: &mut Register) {
        for memory in Memory::ALL {
            register.describe(memory.name(), memory.help(), "counter");
        }
        register.describe(THROWN_AWAY, THROWN_AWAY_HELP, "counter");
    }
}

impl Db {
    /// Something was looked up in memory: so many times it was there, so many times not.
    pub(crate) fn looked_up(&self, memory: Memory, hits: usize, misses: usize) {
        let counts = &self.lookups.of[memory as usize];
        counts.hits.fetch_add(hits as u64, Ordering::Relaxed);
        counts.misses.fetch_add(misses as u64, Ordering::Relaxed);
    }
}

impl Collector for Lookups {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (memory, counts) in Memory::ALL.into_iter().zip(&self.of) {
            let help = format!("{}.", memory.help());
            let mut lookups = encoder.encode_descriptor(memory.name(), &help, None, MetricType::Counter)?;
            for (result, count) in [("hit", &counts.hits), ("miss", &counts.misses)] {
                let count = ConstCounter::new(count.load(Ordering::Relaxed));
                count.encode(lookups.encode_family(&[("result", result)])?)?;
            }
        }
        let count = ConstCounter::new(self.fresh.times_thrown_away());
        let help = format!("{THROWN_AWAY_HELP}.");
        count.encode(encoder.encode_descriptor(THROWN_AWAY, &help, None, MetricType::Counter)?)
    }
}
