//! A histogram of durations with bounded memory and bounded relative error.
//!
//! Buckets are 1/256 of an octave wide (the layout of Gil Tene's `HdrHistogram`), so a quantile is off by at most 0.4 %.
//! Each bucket also keeps the sum of its values: durations that are all equal, as in a fixed schedule, come back exactly.

use crate::time::Interval;

const SUB_BITS: u32 = 8;

/// Counts of durations.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    /// (count, sum of nanoseconds) by bucket, as long as the largest value needs.
    buckets: Vec<(u64, u128)>,
    count: u64,
    max: Interval,
}

impl Histogram {
    /// Counts one duration.
    #[inline]
    pub fn record(&mut self, value: Interval) {
        let index = bucket_of(value.as_nanos(), SUB_BITS);
        if index >= self.buckets.len() {
            self.buckets.resize(index + 1, (0, 0));
        }
        let bucket = &mut self.buckets[index];
        bucket.0 += 1;
        bucket.1 += u128::from(value.as_nanos());
        self.count += 1;
        self.max = self.max.max(value);
    }

    /// The same counts in coarser buckets.
    pub fn outline(&self) -> Outline {
        let mut outline = Vec::new();
        for (&(count, sum), bucket) in self.buckets.iter().zip(0..) {
            // The mean of a bucket lies in it, and each coarse bucket is made of whole fine ones.
            let Some(mean) = sum.checked_div(u128::from(count)) else { continue };
            let coarse = bucket_of(mean as u64, OUTLINE_BITS);
            debug_assert_eq!(bucket_of(mean as u64, SUB_BITS), bucket);
            outline.resize(outline.len().max(coarse + 1), 0);
            outline[coarse] += count;
        }
        Outline(outline)
    }

    /// How many durations were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The longest, exactly; `None` if nothing was counted.
    pub fn max(&self) -> Option<Interval> {
        (self.count > 0).then_some(self.max)
    }

    /// The mean in seconds, exactly summed; `None` if nothing was counted.
    pub fn mean_seconds(&self) -> Option<f64> {
        let sum: u128 = self.buckets.iter().map(|bucket| bucket.1).sum();
        (self.count > 0).then(|| sum as f64 / self.count as f64 / 1e9)
    }

    /// The `p`-quantile: the value at rank `ceil(p * count)`, as the mean of its bucket, in seconds.
    pub fn quantile_seconds(&self, p: f64) -> Option<f64> {
        self.quantile_among(p, self.count)
    }

    /// The `p`-quantile among `population` values of which those not counted here are infinite.
    pub fn quantile_among(&self, p: f64, population: u64) -> Option<f64> {
        if population == 0 {
            return None;
        }
        let rank = (libm::ceil(p * population as f64) as u64).max(1);
        let mut seen = 0;
        for &(count, sum) in &self.buckets {
            seen += count;
            if seen >= rank {
                return Some(sum as f64 / count as f64 / 1e9);
            }
        }
        Some(f64::INFINITY)
    }
}

/// The bucket of a value where each octave has 2^`bits` of them; the values below 2^`bits` have one each.
#[inline]
fn bucket_of(nanos: u64, bits: u32) -> usize {
    let octave = (nanos | 1).ilog2().saturating_sub(bits);
    let within = nanos >> octave;
    ((u64::from(octave) << bits) + within) as usize
}

/// Counts of durations in buckets of 1/32 of an octave: coarse enough to keep for every replication, and to draw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline(Vec<u64>);

const OUTLINE_BITS: u32 = 5;

impl Outline {
    /// Adds the counts of another one.
    pub fn add(&mut self, other: &Self) {
        if other.0.len() > self.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (count, other) in self.0.iter_mut().zip(&other.0) {
            *count += other;
        }
    }

    /// How many durations are shorter than the end of each bucket, as (end in seconds, count), from the beginning of the
    /// first bucket that holds any to the end of the last.
    pub fn cumulative(&self) -> Vec<(f64, u64)> {
        let Some(first) = self.0.iter().position(|&count| count > 0) else { return Vec::new() };
        let begin = |bucket: usize| Self::begin(bucket as u64) as f64 / 1e9;
        let mut seen = 0;
        let rest = (first..self.0.len()).map(|bucket| {
            seen += self.0[bucket];
            (begin(bucket + 1), seen)
        });
        std::iter::once((begin(first), 0)).chain(rest).collect()
    }

    /// The smallest value of a bucket, in nanoseconds.
    const fn begin(bucket: u64) -> u64 {
        let octave = (bucket >> OUTLINE_BITS).saturating_sub(1);
        (bucket - (octave << OUTLINE_BITS)) << octave
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Purpose, up_to};

    #[test]
    fn buckets_follow_each_other_and_are_narrow() {
        let mut previous = bucket_of(0, SUB_BITS);
        for nanos in 1..1_000_000u64 {
            let bucket = bucket_of(nanos, SUB_BITS);
            assert!(bucket == previous || bucket == previous + 1, "{nanos}");
            previous = bucket;
        }
        for nanos in [1_000_000u64, 60_000_000_000, 1 << 61] {
            assert_ne!(bucket_of(nanos, SUB_BITS), bucket_of(nanos + nanos / 200, SUB_BITS), "{nanos}");
        }
        assert!(bucket_of(u64::MAX, SUB_BITS) < 16_000);
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let key = Key::derive(9, 0, Purpose::Trace, "histogram");
        let mut values: Vec<u64> =
            (0..10_001).map(|e| up_to(key.block(e, 0)[0], 1 << (20 + e % 20))).collect();
        let mut histogram = Histogram::default();
        for &value in &values {
            histogram.record(Interval::from_nanos(value));
        }
        values.sort_unstable();
        for p in [0.001, 0.1, 0.5, 0.9, 0.99, 1.0] {
            let exact = values[(p * 10_001f64).ceil() as usize - 1] as f64 / 1e9;
            let measured = histogram.quantile_seconds(p).unwrap();
            assert!((measured / exact - 1.0).abs() < 0.004, "{p}: {measured} against {exact}");
        }
        assert_eq!(histogram.max(), values.last().map(|&v| Interval::from_nanos(v)));
    }

    #[test]
    fn equal_durations_come_back_exactly() {
        let mut histogram = Histogram::default();
        for _ in 0..3 {
            histogram.record(Interval::from_millis(60_200));
        }
        assert_eq!(histogram.quantile_seconds(0.5), Some(60.2));
        assert_eq!(histogram.mean_seconds(), Some(60.2));
    }

    #[test]
    fn an_outline_counts_what_is_shorter_than_each_of_its_edges() {
        let values: Vec<u64> = vec![0, 7, 40, 1_000, 1_000, 60_000_000_000, 61_000_000_000];
        let mut histogram = Histogram::default();
        for &value in &values {
            histogram.record(Interval::from_nanos(value));
        }
        let mut outline = histogram.outline();
        for (edge, count) in outline.cumulative() {
            let shorter = values.iter().filter(|&&value| (value as f64) < edge * 1e9 - 1e-3).count() as u64;
            assert_eq!(count, shorter, "{edge}");
        }
        let last = *outline.cumulative().last().unwrap();
        assert!(last.1 == 7 && last.0 >= 61.0 && last.0 < 61.0 * 1.032, "{last:?}");
        outline.add(&histogram.outline());
        assert_eq!(outline.cumulative().last().unwrap().1, 14);
        for bucket in 1..1_500 {
            let begin = Outline::begin(bucket);
            assert_eq!(bucket_of(begin, OUTLINE_BITS), bucket as usize);
            assert_eq!(bucket_of(begin - 1, OUTLINE_BITS), bucket as usize - 1);
        }
    }

    #[test]
    fn what_never_came_is_infinite_and_what_was_never_asked_is_unknown() {
        let mut histogram = Histogram::default();
        assert_eq!(
            (histogram.quantile_seconds(0.5), histogram.mean_seconds(), histogram.max()),
            (None, None, None)
        );
        histogram.record(Interval::from_secs(1));
        assert_eq!(histogram.quantile_among(0.5, 2), Some(1.0));
        assert_eq!(histogram.quantile_among(0.51, 2), Some(f64::INFINITY));
    }
}
