//! Numbers as text: exact enough for machines, short enough for people.

/// The shortest text that gives `value` back to nine significant digits; "inf" for what never happens.
pub fn machine(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    // Whole numbers of so few digits are their own text, and most cells of a time series are.
    if libm::trunc(value) == value && value.abs() < 1e9 {
        return (value as i64).to_string();
    }
    let rounded: f64 = format!("{value:.8e}").parse().expect("a number prints as a number");
    // Zero has no sign in a report.
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// The same for what may not have been observed, which is empty.
pub fn machine_or_empty(value: Option<f64>) -> String {
    value.map(machine).unwrap_or_default()
}

/// About three significant digits, thousands as k, millions as M.
pub fn short(value: f64) -> String {
    let digits = |value: f64| {
        let magnitude = value.abs();
        if magnitude >= 99.95 || magnitude == 0.0 {
            format!("{value:.0}")
        } else if magnitude >= 9.995 {
            format!("{value:.1}")
        } else if magnitude >= 0.0995 {
            format!("{value:.2}")
        } else if magnitude >= 0.0095 {
            format!("{value:.3}")
        } else {
            format!("{value:.2e}")
        }
    };
    match value.abs() {
        magnitude if magnitude.is_infinite() => "never".into(),
        magnitude if magnitude >= 999_500.0 => format!("{}M", digits(value / 1e6)),
        magnitude if magnitude >= 9_995.0 => format!("{}k", digits(value / 1e3)),
        _ => digits(value),
    }
}

/// A number of things, or a mean of such numbers: whole numbers without a point.
pub fn count(number: f64) -> String {
    if libm::trunc(number) == number && number.abs() < 9_995.0 { format!("{number}") } else { short(number) }
}

/// A share as percent; 0 % and 100 % only if it is exactly that.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "<0.1 %".into()
    } else if percent < 100.0 && percent > 99.9 {
        ">99.9 %".into()
    } else if percent == 0.0 || percent == 100.0 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// Seconds in the unit that a person would use.
pub fn duration(seconds: f64) -> String {
    if seconds < 0.0 {
        format!("-{}", duration(-seconds))
    } else if seconds.is_infinite() {
        "never".into()
    } else if seconds == 0.0 {
        "0 s".into()
    } else if seconds < 0.9995 {
        format!("{} ms", short(seconds * 1e3))
    } else if seconds < 119.95 {
        format!("{} s", short(seconds))
    } else if seconds < 7_197.0 {
        format!("{} min", short(seconds / 60.0))
    } else if seconds < 172_700.0 {
        format!("{} h", short(seconds / 3600.0))
    } else {
        format!("{} d", short(seconds / 86_400.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_get_nine_digits_and_no_noise() {
        for (value, text) in [
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.333333333"),
            (4_000.0, "4000"),
            (1e-12, "0.000000000001"),
            (-0.0, "0"),
            (-17.0, "-17"),
            (999_999_999.0, "999999999"),
            (999_999_999.6, "1000000000"),
            (1_234_567_891.0, "1234567890"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(machine(value), text);
        }
        assert_eq!(machine_or_empty(None), "");
    }

    #[test]
    fn people_get_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (3.98, "3.98"),
            (31.24, "31.2"),
            (499.5, "500"),
            (4_999.0, "4999"),
            (12_345.0, "12.3k"),
            (2_500_000.0, "2.50M"),
            (0.012, "0.012"),
            (0.0012, "1.20e-3"),
            (f64::INFINITY, "never"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn whole_numbers_have_no_point() {
        for (number, text) in
            [(0.0, "0"), (17.0, "17"), (17.5, "17.5"), (2.0, "2"), (600.0, "600"), (12_345.0, "12.3k")]
        {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn shares_and_durations_do_not_pretend() {
        for (share, text) in [
            (0.0, "0 %"),
            (0.0004, "<0.1 %"),
            (0.412, "41.2 %"),
            (0.9999, ">99.9 %"),
            (1.0, "100 %"),
            (0.999, "99.9 %"),
        ] {
            assert_eq!(percent(share), text);
        }
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.18, "180 ms"),
            (61.24, "61.2 s"),
            (510.0, "8.50 min"),
            (6000.0, "100 min"),
            (7_200.0, "2.00 h"),
            (259_200.0, "3.00 d"),
            (f64::INFINITY, "never"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
