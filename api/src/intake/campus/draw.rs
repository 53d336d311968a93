//! Chance that repeats itself: the same seed draws the same on every platform and with every version.
//!
//! Only sums, products, quotients and square roots of floating-point numbers are used, which IEEE 754
//! defines to the last bit; logarithms and exponentials differ from one C library to the next.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// What is drawn. Each thing has a stream of its own, so it can be made without those before it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Catalogue = 1,
    Chain = 2,
    Course = 3,
    Person = 4,
    Life = 5,
    Members = 6,
    Talk = 7,
    Traits = 8,
}

/// A stream of chance.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    /// The stream of the thing number `index` that serves a purpose.
    pub(super) fn new(seed: u64, purpose: Purpose, index: usize) -> Self {
        let mut key = *b"Stoa, generated campus 1........";
        key[24..].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream((purpose as u64) << 56 | index as u64);
        Self(generator)
    }

    /// A number from 0 to 1, without 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from `low` to `high`.
    pub(super) fn from(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `end`; 0 if there is none.
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.0.next_u64()) * end as u128) >> 64) as usize
    }

    /// A whole number from `low` to `high`, both included.
    pub(super) fn whole(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(usize::try_from(high - low + 1).unwrap_or(0)) as i64
    }

    /// True with probability `p`.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// About normally distributed, with mean 0 and standard deviation 1, never beyond ±4.3.
    pub(super) fn normal(&mut self) -> f64 {
        const HALVES: i32 = 6; // the sum of 6 uniform numbers has mean 3 and variance 1/2
        let sum: f64 = (0..HALVES).map(|_| self.unit()).sum();
        (sum - 3.0) * std::f64::consts::SQRT_2
    }

    /// How often `p` comes true before it does not, at most `most` times.
    pub(super) fn streak(&mut self, p: f64, most: usize) -> usize {
        (0..most).take_while(|_| self.chance(p)).count()
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// The place of one of several weights, each drawn in proportion; `None` if all are 0.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> Option<usize> {
        let mut rest = self.unit() * weights.iter().sum::<f64>();
        for (place, weight) in weights.iter().enumerate() {
            rest -= weight;
            if rest < 0.0 {
                return Some(place);
            }
        }
        // Rounding may leave a rest.
        weights.iter().rposition(|weight| *weight > 0.0)
    }

    /// Puts values in a random order.
    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_the_same_for_ever_and_differs_from_its_neighbours() {
        let first = |seed, purpose, index| Draw::new(seed, purpose, index).below(1_000_000);
        // Fixed figures: if they change, every seed gives another campus.
        let drawn = [
            first(1, Purpose::Person, 0),
            first(1, Purpose::Person, 1),
            first(1, Purpose::Life, 0),
            first(2, Purpose::Person, 0),
        ];
        assert_eq!(drawn, [609_379, 787_582, 979_029, 879_630]);
    }

    #[test]
    fn weights_are_drawn_in_proportion() {
        let mut draw = Draw::new(1, Purpose::Catalogue, 0);
        let mut counts = [0; 3];
        for _ in 0..4_000 {
            counts[draw.weighted(&[1.0, 0.0, 3.0]).unwrap()] += 1;
        }
        assert!((900..1_100).contains(&counts[0]) && counts[1] == 0, "{counts:?}");
        assert_eq!(draw.weighted(&[0.0, 0.0]), None);
        assert_eq!(draw.weighted(&[]), None);
    }

    #[test]
    fn the_normal_distribution_has_mean_0_and_deviation_1() {
        let mut draw = Draw::new(1, Purpose::Catalogue, 0);
        let values: Vec<f64> = (0..10_000).map(|_| draw.normal()).collect();
        let mean = values.iter().sum::<f64>() / 10_000.0;
        let variance = values.iter().map(|value| value * value).sum::<f64>() / 10_000.0;
        assert!(mean.abs() < 0.05 && (0.95..1.05).contains(&variance), "{mean} {variance}");
    }
}
