//! Axes: ticks where a person would put them, and a scale on which a herd and a trickle are both visible.

/// Steps of a time axis in nanoseconds, up to a day: what clocks have marks for.
const STEPS: [u64; 17] = {
    const S: u64 = 1_000_000_000;
    const MIN: u64 = 60 * S;
    const H: u64 = 60 * MIN;
    [
        S,
        2 * S,
        5 * S,
        10 * S,
        15 * S,
        30 * S,
        MIN,
        2 * MIN,
        5 * MIN,
        10 * MIN,
        15 * MIN,
        30 * MIN,
        H,
        2 * H,
        3 * H,
        6 * H,
        12 * H,
    ]
};
const DAY: u64 = 86_400_000_000_000;
/// The most steps of a time axis.
const MOST_STEPS: u64 = 8;

/// Ticks from 0 to `span` seconds: where (in seconds) and what they say.
pub(super) fn time_ticks(span: f64) -> Vec<(f64, String)> {
    time_ticks_between(0.0, span)
}

/// Ticks from one time in seconds to another.
pub(super) fn time_ticks_between(low: f64, high: f64) -> Vec<(f64, String)> {
    let [low, high] = [low, high].map(|seconds| libm::floor(seconds * 1e9 + 0.5) as u64);
    let step = time_step(high - low);
    (low.div_ceil(step)..=high / step)
        .map(|number| number * step)
        .map(|nanos| (nanos as f64 / 1e9, time_label(nanos)))
        .collect()
}

/// The step of an axis of this many nanoseconds.
fn time_step(span: u64) -> u64 {
    let decades = |unit: u64| {
        (0..18).flat_map(move |power| [1, 2, 5].map(|d| unit.saturating_mul(d * 10_u64.pow(power))))
    };
    let below_a_second = decades(1).take_while(|&step| step < 1_000_000_000);
    let mut steps = below_a_second.chain(STEPS).chain(decades(DAY));
    steps.find(|&step| span / step <= MOST_STEPS).unwrap_or(u64::MAX)
}

/// A time in its largest unit, and the next if it is not whole: "90 s" is "1 min 30 s".
pub(super) fn time_label(nanos: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(DAY, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min")];
    for (index, (unit, name)) in UNITS.into_iter().enumerate() {
        if nanos >= unit {
            let (next, next_name) = UNITS.get(index + 1).copied().unwrap_or((1_000_000_000, "s"));
            let rest = nanos % unit / next;
            return match rest {
                0 => format!("{} {name}", nanos / unit),
                _ => format!("{} {name} {rest} {next_name}", nanos / unit),
            };
        }
    }
    let (unit, name) = match nanos {
        0 | 1_000_000_000.. => (1e9, "s"),
        1_000_000.. => (1e6, "ms"),
        1_000.. => (1e3, "us"),
        _ => (1.0, "ns"),
    };
    format!("{} {name}", number_label(nanos as f64 / unit))
}

/// A number without noise: at most four significant digits, no zeros at its end, large ones with k and M.
pub(super) fn number_label(value: f64) -> String {
    let (value, unit) = match value {
        1e9.. => return format!("{value:.1e}"),
        1e6.. => (value / 1e6, "M"),
        1e4.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    if value > 0.0 && value < 1e-3 {
        return format!("{value:e}");
    }
    let decimals = if value >= 1.0 { 2 } else { 4 };
    let text = format!("{value:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{}{unit}", if text.is_empty() { "0" } else { text })
}

/// The smallest 1, 2 or 5 times a power of ten that is at least `value`, which is above 0.
pub(super) fn round_up(value: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(value)));
    // A hair of tolerance, so that 500.0000001 is 500.
    [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * power)
        .into_iter()
        .find(|&v| v * 1.000_001 >= value)
        .unwrap_or(value)
}

/// How values become heights, both from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// The largest value.
    pub(super) top: f64,
    /// Up to which value the scale is linear, logarithmic above; `top` if it is linear everywhere.
    pub(super) linear_to: f64,
}

/// The share of the height that the linear part of a broken scale takes.
const LINEAR_SHARE: f64 = 0.4;

impl Scale {
    /// Linear from 0 to at least `most`.
    pub(super) fn linear(most: f64) -> Self {
        let top = if most > 0.0 { nice_top(most) } else { 1.0 };
        Self { top, linear_to: top }
    }

    /// Linear from 0 to `knee`, logarithmic from there to at least `most`.
    pub(super) fn broken(knee: f64, most: f64) -> Self {
        Self { top: nice_top(most), linear_to: knee }
    }

    /// True if the scale changes on its way.
    pub(super) fn is_broken(self) -> bool {
        self.linear_to < self.top
    }

    /// The height of `value`; 1 for what lies above the top.
    pub(super) fn height(self, value: f64) -> f64 {
        if !self.is_broken() {
            return (value / self.top).min(1.0);
        }
        if value <= self.linear_to {
            return value / self.linear_to * LINEAR_SHARE;
        }
        let part = libm::log(value / self.linear_to) / libm::log(self.top / self.linear_to);
        (LINEAR_SHARE + (1.0 - LINEAR_SHARE) * part).min(1.0)
    }

    /// Values to mark on an axis of `pixels`, upwards, none closer to another than `gap`.
    pub(super) fn ticks(self, pixels: f64, gap: f64) -> Vec<f64> {
        if !self.is_broken() {
            let most = libm::floor(pixels / gap).clamp(1.0, 5.0);
            let step = round_up(self.top / most * 0.999);
            return (0..=(self.top / step + 1e-6) as u32).map(|number| f64::from(number) * step).collect();
        }
        let first = libm::ceil(libm::log10(self.linear_to)) as i32;
        let decades = (first..first + 16).map(|power| libm::pow(10.0, f64::from(power)));
        let half = self.linear_to / 2.0;
        let mut ticks: Vec<f64> = Vec::new();
        for value in [0.0, self.linear_to, self.top].into_iter().chain(decades).chain([half]) {
            let apart = |&other: &f64| (self.height(other) - self.height(value)).abs() * pixels >= gap;
            if value <= self.top && ticks.iter().all(apart) {
                ticks.push(value);
            }
        }
        ticks.sort_by(f64::total_cmp);
        ticks
    }
}

/// A round number a little above `most`: with less empty room than [`round_up`] leaves.
fn nice_top(most: f64) -> f64 {
    let step = round_up(most / 5.0);
    let steps = libm::ceil(most / step - 1e-6);
    steps * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_ticks_stand_where_clocks_have_marks() {
        for (span, expected) in [
            (1_800.0, "0 s|5 min|10 min|15 min|20 min|25 min|30 min"),
            (30.0, "0 s|5 s|10 s|15 s|20 s|25 s|30 s"),
            (241.0, "0 s|30 s|1 min|1 min 30 s|2 min|2 min 30 s|3 min|3 min 30 s|4 min"),
            (480.0, "0 s|1 min|2 min|3 min|4 min|5 min|6 min|7 min|8 min"),
            (7_200.0, "0 s|15 min|30 min|45 min|1 h|1 h 15 min|1 h 30 min|1 h 45 min|2 h"),
            (40_000.0, "0 s|2 h|4 h|6 h|8 h|10 h"),
            (259_200.0, "0 s|12 h|1 d|1 d 12 h|2 d|2 d 12 h|3 d"),
            (3.0, "0 s|500 ms|1 s|1.5 s|2 s|2.5 s|3 s"),
            (0.000_4, "0 s|50 us|100 us|150 us|200 us|250 us|300 us|350 us|400 us"),
            (86_400.0 * 36_525.0, "0 s|5000 d|10000 d|15000 d|20000 d|25000 d|30000 d|35000 d"),
        ] {
            let labels: Vec<_> = time_ticks(span).into_iter().map(|(_, label)| label).collect();
            assert_eq!(labels.join("|"), expected, "{span} s");
        }
    }

    #[test]
    fn numbers_carry_no_noise() {
        for (value, text) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (0.1 + 0.2, "0.3"),
            (10.0, "10"),
            (1_500.0, "1500"),
            (20_000.0, "20k"),
            (2.5e6, "2.5M"),
            (0.000_02, "2e-5"),
            (3e12, "3.0e12"),
        ] {
            assert_eq!(number_label(value), text);
        }
    }

    #[test]
    fn a_linear_scale_ends_at_a_round_number() {
        for (most, top, ticks) in [
            (500.0, 500.0, vec![0.0, 100.0, 200.0, 300.0, 400.0, 500.0]),
            (333.0, 400.0, vec![0.0, 100.0, 200.0, 300.0, 400.0]),
            (0.7, 0.8, vec![0.0, 0.2, 0.4, 0.6, 0.8]),
        ] {
            let scale = Scale::linear(most);
            assert!((scale.top - top).abs() < 1e-9, "{scale:?}");
            let found = scale.ticks(100.0, 15.0);
            assert_eq!(found.len(), ticks.len(), "{found:?}");
            assert!(found.iter().zip(&ticks).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        }
        assert_eq!(Scale::linear(0.0).height(0.0), 0.0);
    }

    #[test]
    fn a_broken_scale_shows_the_limit_and_the_herd() {
        let scale = Scale::broken(10.0, 500.0);
        let heights: Vec<_> = [0.0, 5.0, 10.0, 500.0, 900.0].map(|v| scale.height(v)).into();
        assert_eq!(heights, [0.0, 0.2, 0.4, 1.0, 1.0]);
        assert_eq!(scale.ticks(90.0, 13.0), [0.0, 5.0, 10.0, 100.0, 500.0]);
        assert!(scale.height(100.0) > 0.7 && scale.height(100.0) < 0.8);
    }
}
