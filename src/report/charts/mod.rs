//! Charts as SVG: each shows one CSV of the run, and nothing that is not in it.
//!
//! As files their background is white and the text dark whatever page they end up on; within a page of our own they follow it.

mod axis;
mod drawing;
mod front;
mod herd;
mod inline;
mod load;
mod mark;
mod page;
mod panel;
mod phases;
mod rates;
mod success;
mod svg;
mod sweep;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod tipping;

use super::tables::Tables;
use crate::scenario::Scenario;
pub(super) use front::front_charts;
use page::Sheet;
pub(super) use phases::phase_chart;
pub(super) use sweep::sweep_charts;
pub(super) use theme::css_values;
use theme::{
    ATTEMPTS, BACKGROUND, FAINT, GOODPUT, GRID, INCIDENT, INCIDENT_EDGE, LINES, LOAD, LOAD_EDGE, MUTED, TEXT,
};
pub(super) use tipping::tipping_chart;

/// A finished chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    name: String,
    sheet: Sheet,
}

impl Chart {
    fn new(name: impl Into<String>, sheet: Sheet) -> Self {
        Self { name: name.into(), sheet }
    }

    /// As a file: its name and its bytes.
    pub(super) fn svg(&self) -> (String, Vec<u8>) {
        (format!("charts/{}.svg", self.name), svg::write(&self.sheet))
    }

    /// As part of a page: what it shows, and the markup of it.
    pub(super) fn inline(&self) -> (&str, String) {
        (&self.sheet.shows, inline::write(&self.sheet))
    }

    /// Its name, as that of its file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// How many columns a plot over time has at most where nothing asks for fewer: there are hardly more pixels.
pub(super) const FINEST: usize = 768;

/// The charts of a run, with at most so many columns in a plot over time.
pub(super) fn charts(scenario: &Scenario, tables: &Tables, columns: usize) -> Vec<Chart> {
    vec![
        Chart::new("load", load::chart(scenario, tables, columns)),
        Chart::new("success", success::chart(scenario, tables)),
        Chart::new("attempts", herd::chart(scenario, tables, columns)),
    ]
}
