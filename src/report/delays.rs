//! The delays of a policy, as CSV, JSON and a picture in the terminal.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Number, Value};

use super::csv::Rows;
use super::number::duration;
use crate::experiment::DelaySummary;
use crate::time::Interval;

/// The columns of the CSV; times are in seconds.
const COLUMNS: [&str; 11] =
    ["retry_index", "n", "min", "max", "mean", "std", "q05", "q25", "q50", "q75", "q95"];

/// Seconds to the nanosecond, without rounding.
fn exact(interval: Interval) -> String {
    let text = format!("{}.{:09}", interval.as_nanos() / 1_000_000_000, interval.as_nanos() % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Seconds to a billionth.
fn close(seconds: f64) -> String {
    let text = format!("{seconds:.9}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn cells(summary: &DelaySummary) -> Vec<String> {
    let mut cells =
        vec![summary.retry.to_string(), summary.n.to_string(), exact(summary.min), exact(summary.max)];
    cells.extend([close(summary.mean), close(summary.std)]);
    cells.extend(summary.quantiles.map(close));
    cells
}

/// `retry_index,n,min,max,mean,std,q05,q25,q50,q75,q95`, a row per retry.
pub fn delays_csv(summaries: &[DelaySummary]) -> String {
    let rows = summaries.iter().map(|summary| cells(summary).join(",") + "\n");
    COLUMNS.join(",") + "\n" + &rows.collect::<String>()
}

/// The columns of the CSV of when retries come; times are in seconds since the first failure.
const PASSED: [&str; 10] = ["policy", "retry_index", "n", "min", "max", "q05", "q25", "q50", "q75", "q95"];

/// When the retries of policies (name, retries) come: `policy,retry_index,n,min,max,q05,q25,q50,q75,q95`, a row per retry.
pub fn passed_csv(policies: &[(String, Vec<DelaySummary>)]) -> Vec<u8> {
    let mut rows = Rows::new(&PASSED);
    for (name, summary) in policies.iter().flat_map(|(name, all)| all.iter().map(move |one| (name, one))) {
        let (first, last) = summary.passed_range;
        let mut row =
            vec![name.clone(), summary.retry.to_string(), summary.n.to_string(), exact(first), exact(last)];
        row.extend(summary.passed.map(close));
        rows.push(row);
    }
    rows.finish()
}

/// The same rows as a JSON array of objects.
pub fn delays_json(summaries: &[DelaySummary]) -> String {
    let row = |summary: &DelaySummary| {
        let number = |cell: String| cell.parse::<Number>().map_or(Value::Null, Value::Number);
        let cells = COLUMNS.iter().map(|&name| name.to_owned()).zip(cells(summary).into_iter().map(number));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    let rows: Vec<Value> = summaries.iter().map(row).collect();
    serde_json::to_string_pretty(&rows).expect("rows are plain JSON") + "\n"
}

/// How wide the picture is, in characters.
const WIDTH: usize = 24;

/// A table with a picture: where the delays of each retry lie, and how much time has passed after it.
pub fn delays_table(summaries: &[DelaySummary]) -> String {
    let longest = summaries.iter().map(|summary| summary.max).max().unwrap_or(Interval::ZERO).as_secs_f64();
    let mut table = Table::new();
    let scale = format!("0 to {}", duration(longest));
    table.load_style(presets::NOTHING);
    table.set_header(["retry", "min", "q05", "median", "q95", "max", "mean", "passed", &scale]);
    for summary in summaries {
        let [low, _, median, _, high] = summary.quantiles;
        let mut row = vec![summary.retry.to_string()];
        let (min, max) = (summary.min.as_secs_f64(), summary.max.as_secs_f64());
        row.extend([min, low, median, high, max, summary.mean, summary.cumulative].map(duration));
        row.push(picture(summary, longest));
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_cell_alignment(if index < 8 { CellAlignment::Right } else { CellAlignment::Left });
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

/// From min to max dashes, from q05 to q95 a bar, at the median a mark.
fn picture(summary: &DelaySummary, longest: f64) -> String {
    let place = |seconds: f64| {
        if longest > 0.0 { ((seconds / longest * WIDTH as f64) as usize).min(WIDTH - 1) } else { 0 }
    };
    let [low, _, median, _, high] = summary.quantiles.map(place);
    let (min, max) = (place(summary.min.as_secs_f64()), place(summary.max.as_secs_f64()));
    (0..WIDTH)
        .map(|column| match column {
            _ if column == median => '|',
            _ if (low..=high).contains(&column) => '=',
            _ if (min..=max).contains(&column) => '-',
            _ => ' ',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> DelaySummary {
        DelaySummary {
            retry: 1,
            n: 3,
            min: Interval::from_nanos(1),
            max: Interval::from_nanos(19_221_679_687),
            mean: 1.0 / 3.0,
            std: 0.0,
            quantiles: [0.0, 1.0, 9.6, 12.0, 15.0],
            cumulative: 1.0,
            passed_range: (Interval::from_nanos(1), Interval::from_secs(19)),
            passed: [0.0, 1.0, 9.6, 12.0, 15.0],
        }
    }

    #[test]
    fn every_nanosecond_is_written() {
        let csv = delays_csv(&[summary()]);
        let row = csv.lines().nth(1).expect("there is a row");
        assert_eq!(row, "1,3,0.000000001,19.221679687,0.333333333,0,0,1,9.6,12,15");
        assert!(delays_json(&[summary()]).contains("\"max\": 19.221679687"));
    }

    #[test]
    fn the_picture_shows_where_delays_lie() {
        assert_eq!(picture(&summary(), 19.221_679_687), "===========|=======-----");
    }
}
