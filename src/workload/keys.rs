//! Input keys: how many different inputs requests have, and how popular each is.

use schemars::JsonSchema;
use serde::de::value::{I64Deserializer, MapAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::random::{unit, up_to};
use crate::schema::Either;
use crate::units::{Count, bounded};

/// How many different inputs requests have: `keys = 1000` draws them uniformly, `{ count = 1000, zipf = 1.1 }` the k-th (from 1)
/// in proportion to k^-1.1.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema)]
#[schemars(with = "Either<Count<1, 10_000_000>, Fields>")]
pub struct Keys {
    /// How many there are.
    pub count: Count<1, 10_000_000>,
    /// The exponent of Zipf's law; uniform if absent.
    pub zipf: Option<Exponent>,
}

/// The exponent of Zipf's law: 0 (uniform) to 20.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Exponent(#[schemars(range(min = 0, max = 20))] f64);

impl<'de> Deserialize<'de> for Exponent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, 0.0, 20.0, "an exponent").map(Self)
    }
}

/// How many different inputs there are, and how popular each is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeysFields")]
struct Fields {
    /// How many there are.
    count: Count<1, 10_000_000>,
    /// The exponent of Zipf's law: the k-th is drawn in proportion to k^-`zipf`; all alike if absent.
    zipf: Option<Exponent>,
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrTable;
        impl<'de> Visitor<'de> for NumberOrTable {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of keys, or { count = 1000, zipf = 1.1 }")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Fields, E> {
                Count::deserialize(I64Deserializer::<E>::new(number))
                    .map(|count| Fields { count, zipf: None })
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Fields, E> {
                Err(E::custom(format!("{number} is not a whole number: write for example `keys = 1000`")))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fields, A::Error> {
                Fields::deserialize(MapAccessDeserializer::new(map))
            }
        }
        let Fields { count, zipf } = deserializer.deserialize_any(NumberOrTable)?;
        Ok(Self { count, zipf })
    }
}

/// [`Keys`] ready to be drawn from.
#[derive(Debug, Clone)]
pub(super) enum KeyLaw {
    Uniform { count: u64 },
    Zipf(Zipf),
}

impl KeyLaw {
    pub(super) fn new(keys: Keys) -> Self {
        match keys.zipf {
            None => Self::Uniform { count: keys.count.get() },
            Some(Exponent(exponent)) => Self::Zipf(Zipf::new(keys.count.get(), exponent)),
        }
    }

    /// The key at these random bits, from 0.
    pub(super) fn at(&self, bits: u64) -> u32 {
        match self {
            Self::Uniform { count } => up_to(bits, count - 1) as u32,
            Self::Zipf(zipf) => zipf.at(bits) as u32,
        }
    }
}

/// How many of the most popular keys have their cumulative weights in a table.
const TABLE: u64 = 256;

/// Zipf's law on 1 to `count`: the k-th in proportion to k^-s, by inversion of the cumulative weights. Those of the first keys are
/// added up; behind them they follow from the sum formula of Euler and Maclaurin (NIST Digital Library of Mathematical
/// Functions, 2.10.1), of which the first term left out is s(s+1)(s+2) 256^-3 / 720 of a weight. The search bisects, so that it
/// is monotone in luck whatever the rounding.
#[derive(Debug, Clone)]
pub(super) struct Zipf {
    count: u64,
    exponent: f64,
    /// Cumulative weights of the first keys.
    head: Vec<f64>,
    total: f64,
}

impl Zipf {
    fn new(count: u64, exponent: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=count.min(TABLE)).map(|k| {
            sum += libm::pow(k as f64, -exponent);
            sum
        });
        let head: Vec<f64> = weights.collect();
        let mut zipf = Self { count, exponent, head, total: 0.0 };
        zipf.total = zipf.cumulative(count);
        zipf
    }

    /// The weights of the keys 1 to `k` together.
    fn cumulative(&self, k: u64) -> f64 {
        if let Some(&sum) = self.head.get(k as usize - 1) {
            return sum;
        }
        let s = self.exponent;
        // (k/m)^(1-s) - 1 over 1 - s, which is ln(k/m) for s = 1; in units of the m-th weight times m.
        let (m, x) = (TABLE as f64, k as f64);
        let width = libm::log(x / m);
        let power = (1.0 - s) * width;
        let integral = if power == 0.0 { width } else { width * libm::expm1(power) / power };
        let weight = |x: f64| libm::pow(x, -s);
        let ends = |x: f64| weight(x) * (0.5 - s / (12.0 * x));
        self.head[TABLE as usize - 1] + m * weight(m) * integral + ends(x) - ends(m)
    }

    /// The key at these random bits, from 0.
    fn at(&self, bits: u64) -> u64 {
        let target = unit(bits) * self.total;
        let (mut low, mut high) = (1, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if target < self.cumulative(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Key, Purpose};

    #[test]
    fn cumulative_weights_are_the_sums_they_stand_for() {
        for exponent in [0.0, 0.5, 0.999_999, 1.0, 1.1, 2.0, 5.0, 20.0] {
            let zipf = Zipf::new(100_000, exponent);
            let mut sum = 0.0;
            for k in 1..=100_000u64 {
                sum += libm::pow(k as f64, -exponent);
                if [1, 255, 256, 257, 300, 1000, 31_416, 100_000].contains(&k) {
                    let found = zipf.cumulative(k);
                    assert!((found / sum - 1.0).abs() < 1e-12, "s = {exponent}, k = {k}: {found}, not {sum}");
                }
            }
        }
    }

    #[test]
    fn popular_keys_are_drawn_as_often_as_the_law_says() {
        // Chi-square over the keys 1 to 20 and three groups of the rest: 22 degrees of freedom, 48.27 at alpha = 1e-3.
        let key = Key::derive(5, 0, Purpose::InputKeys, "keys");
        let zipf = Zipf::new(10_000, 1.1);
        let ends: Vec<u64> = (1..=20).chain([100, 1_000, 10_000]).collect();
        let n = 200_000u64;
        let mut counts = vec![0.0; ends.len()];
        for number in 0..n {
            let drawn = zipf.at(key.block(number, 0)[0]) + 1;
            counts[ends.partition_point(|&end| end < drawn)] += 1.0;
        }
        let all: f64 = (1..=10_000u32).map(|k| libm::pow(f64::from(k), -1.1)).sum();
        let (mut statistic, mut before) = (0.0, 0);
        for (&end, count) in ends.iter().zip(counts) {
            let share: f64 = (before + 1..=end).map(|k| libm::pow(k as f64, -1.1)).sum::<f64>() / all;
            let expected = share * n as f64;
            statistic += (count - expected) * (count - expected) / expected;
            before = end;
        }
        assert!(statistic < 48.27, "{statistic}");
    }

    #[test]
    fn luck_is_monotone_and_reaches_both_ends() {
        for (count, exponent) in [(1, 1.0), (2, 0.0), (1000, 1.1), (10_000_000, 0.8)] {
            let zipf = Zipf::new(count, exponent);
            let keys: Vec<u64> = (0..5_000u64).map(|i| zipf.at(i * (u64::MAX / 5_000))).collect();
            assert!(keys.is_sorted());
            assert_eq!((keys[0], zipf.at(u64::MAX)), (0, count - 1));
        }
    }

    #[test]
    fn keys_are_a_number_or_a_table() {
        #[derive(Debug, Deserialize)]
        struct Wrapper {
            keys: Keys,
        }
        let read = |text: &str| toml::from_str::<Wrapper>(text).map(|wrapper| wrapper.keys);
        assert_eq!(read("keys = 7").unwrap(), Keys { count: Count::of(7), zipf: None });
        let popular = Keys { count: Count::of(7), zipf: Some(Exponent(1.0)) };
        assert_eq!(read("keys = { count = 7, zipf = 1 }").unwrap(), popular);
        for (text, needle) in [
            ("keys = 0", "from 1 to 10000000"),
            ("keys = 1.5", "not a whole number"),
            ("keys = { count = 7, zipf = -1 }", "an exponent from 0 to 20"),
            ("keys = 'many'", "a number of keys, or"),
        ] {
            let found = read(text).expect_err(text).message().to_owned();
            assert!(found.contains(needle), "{text}: {found}");
        }
    }
}
