//! Charts: each shows one CSV of the run, and nothing that is not in it.
//!
//! The background is white and the text dark whatever page they end up on. Colours are those of Okabe and Ito or of one
//! sequence from light to dark, so that neither colour blindness nor a grey printer takes anything away.

mod amplification;
mod axis;
mod delays;
mod differences;
mod drawing;
mod ends;
mod front;
mod herd;
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
mod tipping;

use super::tables::Tables;
use crate::scenario::Scenario;
pub(super) use delays::delays_chart;
use drawing::Rgb;
pub(super) use front::front_charts;
use page::Sheet;
pub(super) use phases::phase_chart;
pub(super) use sweep::sweep_charts;
pub(super) use tipping::tipping_chart;

const BACKGROUND: Rgb = Rgb(255, 255, 255);
const TEXT: Rgb = Rgb(32, 32, 32);
const MUTED: Rgb = Rgb(89, 89, 89);
const FAINT: Rgb = Rgb(140, 140, 140);
const GRID: Rgb = Rgb(226, 226, 226);
const INCIDENT: Rgb = Rgb(240, 228, 240);
const INCIDENT_EDGE: Rgb = Rgb(170, 100, 150);
const LOAD: Rgb = Rgb(158, 205, 236);
const LOAD_EDGE: Rgb = Rgb(86, 180, 233);
const GOODPUT: Rgb = Rgb(0, 114, 178);
const ACCEPTED: Rgb = Rgb(96, 32, 112);
const BETTER: Rgb = Rgb(0, 114, 178);
const WORSE: Rgb = Rgb(213, 94, 0);
/// Attempts by their number, from light to dark.
const ATTEMPTS: [Rgb; 6] = [
    Rgb(196, 212, 224),
    Rgb(243, 180, 60),
    Rgb(230, 130, 40),
    Rgb(194, 78, 26),
    Rgb(132, 46, 16),
    Rgb(58, 18, 8),
];
/// Lines of arms: Okabe and Ito without yellow, which does not show on white.
const LINES: [Rgb; 7] = [
    Rgb(0, 114, 178),
    Rgb(230, 159, 0),
    Rgb(0, 0, 0),
    Rgb(204, 121, 167),
    Rgb(0, 158, 115),
    Rgb(86, 180, 233),
    Rgb(213, 94, 0),
];

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
}

/// The charts of a run: of recovery only where an incident was, of lanes only where there are
/// breakers or servers, of differences only where arms are compared.
pub(super) fn charts(scenario: &Scenario, tables: &Tables) -> Vec<Chart> {
    let mut charts = vec![
        Chart::new("load", load::chart(scenario, tables)),
        Chart::new("success", success::chart(scenario, tables)),
        Chart::new("herd", herd::chart(scenario, tables)),
        Chart::new("amplification", amplification::chart(scenario, tables)),
    ];
    charts.extend(recovery::chart(scenario, tables).map(|sheet| Chart::new("recovery", sheet)));
    charts.extend(lanes::chart(scenario, tables).map(|sheet| Chart::new("lanes", sheet)));
    charts.extend(differences::chart(scenario, tables).map(|sheet| Chart::new("differences", sheet)));
    charts
}
