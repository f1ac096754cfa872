//! Line charts as SVG text: a few lines over time, each with its name and its last number.

use std::fmt::Write as _;

use crate::plot::number;

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// What stands beside it.
    pub name: String,
    /// Places, from left to right.
    pub points: Vec<(f64, f64)>,
    /// Whether it is a bound, and not something that was measured.
    pub is_bound: bool,
}

/// One chart of several that stand side by side below each other.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What stands above it.
    pub name: String,
    /// Its lines.
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 760.0;
const LEFT: f64 = 60.0;
const NAMES: f64 = 210.0;
const PANEL: f64 = 190.0;
const PLOT: f64 = 120.0;
/// Told apart by people who see few colours, on white and on black.
const COLOURS: [&str; 4] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7"];
const BOUND: &str = "#d55e00";

/// A chart: panels with the same scale of values, each with its own of time.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a chart has few panels")]
pub fn panels(title: &str, unit: (&str, &str), panels: &[Panel]) -> String {
    let (x_unit, y_unit) = unit;
    let values = panels.iter().flat_map(|panel| &panel.lines);
    let most = values
        .flat_map(|line| &line.points)
        .map(|point| point.1)
        .fold(f64::MIN_POSITIVE, f64::max);
    let height = 40.0 + panels.len() as f64 * PANEL;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#777777\">\n<title>{title}</title>\n\
         <text x=\"0\" y=\"18\" font-size=\"15\" font-weight=\"bold\">{title} ({y_unit})</text>\n"
    );
    for (at, panel) in panels.iter().enumerate() {
        draw(&mut svg, 40.0 + at as f64 * PANEL, panel, most, x_unit);
    }
    svg.push_str("</svg>\n");
    svg
}

#[expect(clippy::cast_precision_loss, reason = "a panel has few lines")]
fn draw(svg: &mut String, top: f64, panel: &Panel, most: f64, x_unit: &str) {
    let last = |line: &Line| line.points.last().map_or(0.0, |point| point.0);
    let end = panel
        .lines
        .iter()
        .map(last)
        .fold(f64::MIN_POSITIVE, f64::max);
    let (right, base) = (WIDTH - NAMES, top + 20.0 + PLOT);
    let x = |value: f64| LEFT + value / end * (right - LEFT);
    let y = |value: f64| base - value / most * PLOT;
    let mut text = |x: f64, y: f64, more: &str, text: &str| {
        // A String takes every text.
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\"{more}>{text}</text>");
    };
    text(0.0, top + 8.0, " font-weight=\"bold\"", &panel.name);
    text(0.0, y(most) + 4.0, "", &number(most));
    text(0.0, base + 4.0, "", "0");
    let end_text = format!("{} {x_unit}", number(end));
    text(right, base + 18.0, " text-anchor=\"end\"", &end_text);
    for (at, line) in panel.lines.iter().enumerate() {
        let value = line.points.last().map_or(0.0, |point| point.1);
        let name = format!("{}: {}", line.name, number(value));
        let fill = format!(" fill=\"{}\"", colour(line, at));
        text(right + 10.0, top + 30.0 + at as f64 * 18.0, &fill, &name);
    }
    let _ = writeln!(
        svg,
        "<path d=\"M{LEFT} {:.1}V{base:.1}H{right:.1}\" fill=\"none\" stroke=\"#999999\"/>",
        y(most)
    );
    for (at, line) in panel.lines.iter().enumerate() {
        let dashes = if line.is_bound {
            " stroke-dasharray=\"5 4\""
        } else {
            ""
        };
        let mut path = String::new();
        for (step, point) in line.points.iter().enumerate() {
            let letter = if step == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{:.1} {:.1}", x(point.0), y(point.1));
        }
        let _ = writeln!(
            svg,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"{dashes}/>",
            colour(line, at)
        );
    }
}

const fn colour(line: &Line, at: usize) -> &'static str {
    if line.is_bound {
        BOUND
    } else {
        COLOURS[at % COLOURS.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_place_is_at_the_top_and_bounds_are_dashed() {
        let line = |name: &str, is_bound| Line {
            name: name.to_owned(),
            points: vec![(0.0, 1.0), (2.0, 4.0)],
            is_bound,
        };
        let panel = Panel {
            name: "one".to_owned(),
            lines: vec![line("a", false), line("b", true)],
        };
        let svg = panels("Memory", ("s", "MiB"), &[panel]);
        let top = format!("L{:.1} {:.1}", WIDTH - NAMES, 40.0 + 20.0);
        assert_eq!(svg.matches(&top).count(), 2, "{svg}");
        assert_eq!(svg.matches("stroke-dasharray").count(), 1);
        assert!(svg.contains("a: 4.00"));
    }
}
