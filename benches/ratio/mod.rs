//! Ratios: what a bench finds, printed as a table for people and as lines that `compare.sh` reads.
//!
//! A time on one machine says nothing about another one, nor about the same one an hour later. What can be held is a quotient of two
//! times of one run, taken in turn, each at its fastest; and what can be counted, which is the same everywhere.

#![allow(dead_code, reason = "no bench needs all of it")]
#![expect(clippy::disallowed_types, reason = "a bench measures time by the clock on the wall")]

use std::time::Instant;

/// True under `cargo bench`. Under `cargo test` everything runs once, and small; what is counted is the same.
pub(crate) fn is_whole() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// How many rounds of everything: so many under `cargo bench`, else one.
pub(crate) fn rounds(whole: u32) -> u32 {
    if is_whole() { whole } else { 1 }
}

/// What the work comes to, and the seconds that it takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begin = Instant::now();
    let result = work();
    (result, begin.elapsed().as_secs_f64())
}

/// Has everything run in turn, `rounds` times, so that what else goes on in the machine meets all of it; each piece of work gets the
/// number of the round and says what it cost. The least of each counts: nothing makes a program faster than it is.
pub(crate) fn turns(rounds: u32, work: &mut [Box<dyn FnMut(u32) -> f64 + '_>]) -> Vec<f64> {
    let mut least = vec![f64::INFINITY; work.len()];
    for round in 0..rounds {
        for (work, least) in work.iter_mut().zip(&mut least) {
            *least = least.min(work(round));
        }
    }
    least
}

/// The ratios that a bench has found, in the order in which it found them.
#[derive(Debug, Default)]
pub(crate) struct Ratios(Vec<(String, Kind, f64)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Timed,
    Counted,
}

impl Ratios {
    /// A quotient of two times of one run: as sure as the machine is quiet.
    pub(crate) fn timed(&mut self, name: impl Into<String>, value: f64) {
        self.0.push((name.into(), Kind::Timed, value));
    }

    /// A quotient of two counts: exact, and the same on every machine and in every kind of run.
    pub(crate) fn counted(&mut self, name: impl Into<String>, value: f64) {
        self.0.push((name.into(), Kind::Counted, value));
    }

    /// Prints the table, and a line `ratio <TAB> name <TAB> value` for each.
    pub(crate) fn print(&self) {
        let written = |kind, value: f64| match kind {
            Kind::Timed => format!("{value:.3}"),
            Kind::Counted => format!("{value:.6}"),
        };
        println!("\n{:<48}{:>10}{:>16}", "ratio", "", "value");
        for (name, kind, value) in &self.0 {
            let word = if *kind == Kind::Timed { "timed" } else { "counted" };
            println!("{name:<48}{word:>10}{:>16}", written(*kind, *value));
        }
        println!();
        for (name, kind, value) in &self.0 {
            println!("ratio\t{name}\t{}", written(*kind, *value));
        }
    }
}
