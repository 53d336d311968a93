//! Histograms of atomic counters. The crate's takes a lock for each value, and keeps floating-point numbers.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, TypedMetric},
};

/// Where the buckets of a histogram end, as whole numbers, and what to divide by to show them.
#[derive(Debug, PartialEq)]
pub(crate) struct Scale {
    bounds: &'static [u64],
    unit: f64,
}

/// Times of requests: 1 ms to 30 s.
pub(crate) const REQUESTS: &Scale = &Scale {
    bounds: &[
        1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
        30_000_000,
    ],
    unit: 1e6,
};
/// Times of statements: 0.1 ms to 5 s.
pub(crate) const STATEMENTS: &Scale =
    &Scale { bounds: &[100, 250, 1_000, 5_000, 25_000, 100_000, 500_000, 5_000_000], unit: 1e6 };
/// How many things come together.
pub(crate) const SIZES: &Scale = &Scale { bounds: &[1, 2, 5, 10, 25, 50, 100, 250, 1_000], unit: 1.0 };
/// What documents cost.
pub(crate) const COSTS: &Scale =
    &Scale { bounds: &[1, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000], unit: 1.0 };

/// How values are spread. Writing to it takes no lock and no memory. A clone is one more reference to it.
#[derive(Clone, Debug)]
pub(crate) struct Histogram(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    scale: &'static Scale,
    /// One more than there are bounds.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    pub(crate) fn new(scale: &'static Scale) -> Self {
        let counts = (0..=scale.bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Inner { scale, counts, sum: AtomicU64::new(0) }))
    }

    pub(crate) fn note(&self, value: u64) {
        // A dozen comparisons at most.
        let bucket = self.0.scale.bounds.iter().take_while(|bound| value > **bound).count();
        if let Some(count) = self.0.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.0.sum.fetch_add(value, Ordering::Relaxed);
    }

    pub(crate) fn note_time(&self, time: Duration) {
        self.note(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many values there were.
    pub(crate) fn count(&self) -> u64 {
        self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let counts: Vec<_> = self.0.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let bounds = self.0.scale.bounds.iter().map(|bound| *bound as f64 / self.0.scale.unit).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(counts.iter().copied()).collect();
        let sum = self.0.sum.load(Ordering::Relaxed) as f64 / self.0.scale.unit;
        encoder.encode_histogram::<NoLabelSet>(sum, counts.iter().sum(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::text::encode, registry::Registry};

    use super::*;

    #[test]
    fn values_are_counted_up_to_each_bound() {
        let histogram = Histogram::new(SIZES);
        for value in [0, 1, 2, 3, 1_000, 1_001] {
            histogram.note(value);
        }
        let mut registry = Registry::default();
        registry.register("sizes", "Sizes", histogram);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "sizes_sum 2007.0",
            "sizes_count 6",
            "sizes_bucket{le=\"1.0\"} 2",
            "sizes_bucket{le=\"2.0\"} 3",
            "sizes_bucket{le=\"5.0\"} 4",
            "sizes_bucket{le=\"250.0\"} 4",
            "sizes_bucket{le=\"1000.0\"} 5",
            "sizes_bucket{le=\"+Inf\"} 6",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
        }
    }
}
