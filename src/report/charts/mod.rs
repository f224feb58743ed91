//! Charts: each shows one CSV of the run, and nothing that is not in it.
//!
//! As files their background is white and the text dark whatever page they end up on; within a page of our own they follow it.

mod amplification;
mod axis;
mod delays;
mod differences;
mod drawing;
mod ends;
mod front;
mod herd;
mod inline;
mod lanes;
mod load;
mod mark;
mod page;
mod panel;
mod phases;
mod png;
mod rates;
mod recovery;
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
pub(super) use delays::delays_chart;
pub(super) use front::front_charts;
use page::Sheet;
pub(super) use phases::phase_chart;
pub(super) use sweep::sweep_charts;
pub(super) use theme::css_values;
use theme::{
    ACCEPTED, ATTEMPTS, BACKGROUND, BETTER, FAINT, GOODPUT, GRID, HALF_OPEN, INCIDENT, INCIDENT_EDGE, LINES,
    LOAD, LOAD_EDGE, MUTED, OPEN, TEXT, WORSE,
};
pub(super) use tipping::tipping_chart;

/// As what charts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pictures {
    /// As SVG.
    #[default]
    Svg,
    /// As SVG, and as PNG at twice the size.
    SvgAndPng,
}

impl Pictures {
    /// With or without PNG.
    pub const fn with_png(png: bool) -> Self {
        if png { Self::SvgAndPng } else { Self::Svg }
    }
}

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

    /// As files: their names and their bytes.
    pub(super) fn files(&self, pictures: Pictures) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![(format!("charts/{}.svg", self.name), self.svg())];
        if pictures == Pictures::SvgAndPng {
            files.push((format!("charts/{}.png", self.name), self.png()));
        }
        files
    }

    /// The bytes of it as SVG.
    pub(super) fn svg(&self) -> Vec<u8> {
        svg::write(&self.sheet)
    }

    /// The bytes of it as PNG, at twice the size.
    pub(super) fn png(&self) -> Vec<u8> {
        png::write(&self.sheet)
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

/// How finely plots over time are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Detail {
    /// How many columns a plot has at most.
    pub(super) columns: usize,
    /// Whether values can be read off where a page has it, and layers have edges.
    pub(super) rich: bool,
}

/// What is drawn where nothing asks for less: there are hardly more pixels.
pub(super) const FINEST: Detail = Detail { columns: 768, rich: true };

/// The charts of a run, as finely as asked for: of recovery only where an incident was, of lanes only where
/// there are breakers or servers, of differences only where arms are compared.
pub(super) fn charts(scenario: &Scenario, tables: &Tables, detail: Detail) -> Vec<Chart> {
    let mut charts = vec![
        Chart::new("load", load::chart(scenario, tables, detail)),
        Chart::new("success", success::chart(scenario, tables)),
        Chart::new("herd", herd::chart(scenario, tables, detail)),
        Chart::new("amplification", amplification::chart(scenario, tables, detail)),
    ];
    charts.extend(recovery::chart(scenario, tables).map(|sheet| Chart::new("recovery", sheet)));
    charts.extend(lanes::chart(scenario, tables, detail).map(|sheet| Chart::new("lanes", sheet)));
    charts.extend(differences::chart(scenario, tables).map(|sheet| Chart::new("differences", sheet)));
    charts
}
