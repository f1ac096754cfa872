//! Bar charts as SVG text: groups of horizontal bars, each with its name and number.

use std::fmt::Write as _;

/// Bars that belong together.
#[derive(Clone, Debug)]
pub struct Group {
    /// What stands above them.
    pub name: String,
    /// Names and numbers, from top to bottom.
    pub bars: Vec<(String, f64)>,
}

const WIDTH: f64 = 760.0;
const LABELS: f64 = 250.0;
const NUMBERS: f64 = 70.0;
const BAR: f64 = 18.0;
const GAP: f64 = 6.0;
const HEADING: f64 = 34.0;
/// Told apart by people who see few colours, on white and on black.
const OURS: &str = "#0072b2";
const OTHERS: &str = "#999999";

/// A chart. Bars whose name begins with `ours` stand out.
#[must_use]
pub fn bars(title: &str, unit: &str, ours: &str, groups: &[Group]) -> String {
    let most = groups
        .iter()
        .flat_map(|g| &g.bars)
        .map(|bar| bar.1)
        .fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LABELS - NUMBERS) / most;
    let rows: usize = groups.iter().map(|group| group.bars.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a chart has few rows")]
    let height = 44.0 + groups.len() as f64 * HEADING + rows as f64 * (BAR + GAP);
    let mut svg = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        svg.write_fmt(text).expect("a String takes every text");
        svg.push('\n');
    };
    line(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"13\" fill=\"#777777\">"
    ));
    line(format_args!("<title>{}</title>", escape(title)));
    line(format_args!(
        "<text x=\"0\" y=\"18\" font-size=\"15\" font-weight=\"bold\">{} ({})</text>",
        escape(title),
        escape(unit)
    ));
    let mut y = 30.0;
    for group in groups {
        y += HEADING;
        line(format_args!(
            "<text x=\"0\" y=\"{}\" font-weight=\"bold\">{}</text>",
            y - 10.0,
            escape(&group.name)
        ));
        for (name, value) in &group.bars {
            let fill = if name.starts_with(ours) { OURS } else { OTHERS };
            let (length, baseline) = ((value * scale).max(1.0), y + 14.0);
            line(format_args!(
                "<text x=\"12\" y=\"{baseline}\">{}</text>",
                escape(name)
            ));
            line(format_args!(
                "<rect x=\"{LABELS}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{fill}\"/>"
            ));
            line(format_args!(
                "<text x=\"{:.1}\" y=\"{baseline}\">{}</text>",
                LABELS + length + 6.0,
                number(*value)
            ));
            y += BAR + GAP;
        }
    }
    line(format_args!("</svg>"));
    svg
}

/// Three digits that matter.
#[must_use]
pub fn number(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fits_and_names_are_escaped() {
        let bars_of = |value| {
            vec![
                ("ours & <co>".to_owned(), value),
                ("theirs".to_owned(), 9.0),
            ]
        };
        let groups = [Group {
            name: "none".to_owned(),
            bars: bars_of(2.5),
        }];
        let svg = bars("CPU", "us", "ours", &groups);
        assert!(svg.contains("ours &amp; &lt;co&gt;") && svg.contains(">2.50<"));
        let longest = format!("width=\"{:.1}\"", WIDTH - LABELS - NUMBERS);
        assert!(svg.contains(&longest), "{svg}");
        assert_eq!(svg.matches(OURS).count(), 1);
    }
}
