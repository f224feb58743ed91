//! What a run looks like on a terminal: its table with the arm that won marked, and the offered load of each arm as a row of blocks.

use anstyle::Style;

use super::best::{Best, best};
use super::number::short;
use super::terminal::{WIDTH, rows};
use super::wrap::below;
use crate::experiment::{Results, WorkloadResult};
use crate::metrics::ATTEMPT_COLUMNS;
use crate::scenario::Scenario;
use crate::time::Interval;

/// Blocks from the lowest to the highest.
const BLOCKS: [char; 8] =
    ['\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}'];
/// How many blocks stand in a row.
const CELLS: usize = 24;
/// From this width of the terminal on the blocks are a column of the table.
const WIDE: usize = 100;
const BOLD: Style = Style::new().bold();

/// The table of a run for a terminal of `width` columns, the arm that won each workload with a `*`, what that mark means, and the
/// offered load over time: in the table where there is room for it, else below.
pub fn overview(scenario: &Scenario, results: &Results, width: usize) -> String {
    let best: Vec<Option<Best>> =
        (0..scenario.workloads.len()).map(|workload| best(scenario, results, workload)).collect();
    let marked = |workload: usize, arm: usize| {
        best[workload].as_ref().is_some_and(|best| best.clear && best.arm == arm)
    };
    let load = Load::of(scenario, results);
    let plain = rows(scenario, results, &marked, |_, _| None);
    let beside = rows(scenario, results, &marked, |workload, arm| Some(load.blocks(workload, arm)));
    let fits = width >= WIDE && beside.iter().all(|line| line.chars().count() <= width);
    let lines = if fits { beside } else { plain };
    let arms = scenario.arms.len();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let won = index.checked_sub(1).is_some_and(|row| marked(row / arms, row % arms));
        text += &if won { format!("{BOLD}{line}{BOLD:#}\n") } else { format!("{line}\n") };
    }
    for best in best.iter().flatten() {
        text += &below("", &best.words(scenario), WIDTH);
    }
    if load.highest > 0.0 {
        text += &format!("\n{}", below("", &load.legend(), WIDTH));
        if !fits {
            text += &load.rows(scenario);
        }
    }
    text
}

/// Offered load over time, by workload and arm: the busiest bin of each of equal stretches, in attempts per second, up to the last
/// attempt of any arm.
struct Load {
    series: Vec<Vec<Vec<f64>>>,
    highest: f64,
    bin: Interval,
    /// How many bins are in a stretch, and in all of them.
    each: usize,
    bins: usize,
}

impl Load {
    fn of(scenario: &Scenario, results: &Results) -> Self {
        let per_bin = f64::from(scenario.replications) * scenario.bin.as_secs_f64();
        let rates = |found: &WorkloadResult| -> Vec<f64> {
            let sent =
                |bin: usize| ATTEMPT_COLUMNS.iter().map(|&column| found.series.get(bin, column)).sum::<u64>();
            (0..found.series.bins()).map(|bin| sent(bin) as f64 / per_bin).collect()
        };
        let of = |workload: usize| results.arms.iter().map(move |arm| &arm.workloads[workload]);
        let all: Vec<Vec<Vec<f64>>> =
            (0..scenario.workloads.len()).map(|workload| of(workload).map(rates).collect()).collect();
        let last = |rates: &Vec<f64>| rates.iter().rposition(|&rate| rate > 0.0).map_or(0, |bin| bin + 1);
        let bins = all.iter().flatten().map(last).max().unwrap_or(0);
        let each = bins.div_ceil(CELLS).max(1);
        let busiest = |rates: &Vec<f64>| -> Vec<f64> {
            let used = &rates[..bins.min(rates.len())];
            used.chunks(each).map(|stretch| stretch.iter().copied().fold(0.0, f64::max)).collect()
        };
        let series: Vec<Vec<Vec<f64>>> = all.iter().map(|arms| arms.iter().map(busiest).collect()).collect();
        let highest = series.iter().flatten().flatten().copied().fold(0.0, f64::max);
        Self { series, highest, bin: scenario.bin, each, bins }
    }

    /// A block per stretch; none where nothing was sent.
    fn blocks(&self, workload: usize, arm: usize) -> String {
        let block = |&rate: &f64| match rate / self.highest {
            share if share > 0.0 => BLOCKS[((share * 8.0).ceil() as usize).clamp(1, 8) - 1],
            _ => ' ',
        };
        self.series[workload][arm].iter().map(block).collect::<String>().trim_end().to_owned()
    }

    fn legend(&self) -> String {
        format!(
            "load: attempts per second in the first {}, a block per {}: its busiest {}; a full block is {}/s in all arms",
            self.bin.times(self.bins as u64),
            self.bin.times(self.each as u64),
            self.bin,
            short(self.highest)
        )
    }

    /// A line per arm, or per workload and arm where there are several workloads.
    fn rows(&self, scenario: &Scenario) -> String {
        let several = scenario.workloads.len() > 1;
        let widest = |names: &mut dyn Iterator<Item = usize>| names.max().unwrap_or(0);
        let arms = widest(&mut scenario.arms.iter().map(|arm| arm.name.chars().count()));
        let workloads = widest(&mut scenario.workloads.iter().map(|workload| workload.name.chars().count()));
        let mut text = String::new();
        for (index, workload) in scenario.workloads.iter().enumerate() {
            for (place, arm) in scenario.arms.iter().enumerate() {
                let of = if several { format!("{:<workloads$}  ", workload.name) } else { String::new() };
                let line = format!("{of}{:<arms$}  {}", arm.name, self.blocks(index, place));
                text += &format!("{}\n", line.trim_end());
            }
        }
        text
    }
}
