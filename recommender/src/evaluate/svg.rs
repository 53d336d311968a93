//! Charts as SVG, for [`super::page`]. Colours come from the page's style sheet, so that they follow
//! light and dark; every chart has a text for those who don't see it.

use super::html::escape;

const WIDTH: f64 = 640.0;
const LEFT: f64 = 184.0;
const RIGHT: f64 = 72.0;
const ROW: f64 = 24.0;
const TOP: f64 = 8.0;
const FOOT: f64 = 24.0;

/// A horizontal bar with its interval.
pub(super) struct Bar<'a> {
    pub(super) name: &'a str,
    pub(super) value: f64,
    pub(super) interval: (f64, f64),
    /// Drawn in the colour that stands out.
    pub(super) strong: bool,
}

/// Bars below each other, with their intervals as whiskers. Values may be negative.
pub(super) fn bars(title: &str, bars: &[Bar<'_>], digits: usize) -> String {
    let ends = bars.iter().flat_map(|bar| [bar.value, bar.interval.0, bar.interval.1]).filter(|v| v.is_finite());
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    let step = step(high - low);
    let (low, high) = ((low / step).floor() * step, ((high / step).ceil() * step).max(step));
    let x = |value: f64| LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT);
    let bottom = TOP + ROW * bars.len() as f64;
    let mut svg = open(title, bottom + FOOT);
    for tick in ticks(low, high, step) {
        svg += &format!(
            "<line class=\"grid\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
             <text class=\"tick\" x=\"{0:.1}\" y=\"{1:.1}\" text-anchor=\"middle\">{2}</text>",
            x(tick),
            bottom + 16.0,
            number(tick, step)
        );
    }
    for (at, bar) in bars.iter().enumerate() {
        let middle = TOP + ROW * (at as f64 + 0.5);
        let (from, to) = (x(bar.value.min(0.0)), x(bar.value.max(0.0)));
        let class = if bar.strong { "bar strong" } else { "bar" };
        svg += &format!(
            "<text class=\"label\" x=\"{0:.1}\" y=\"{1:.1}\" text-anchor=\"end\">{2}</text>\
             <rect class=\"{class}\" x=\"{from:.1}\" y=\"{3:.1}\" width=\"{4:.1}\" height=\"14\" rx=\"2\"/>\
             <path class=\"whisker\" d=\"M{5:.1} {6:.1}v8m0 -4H{7:.1}m0 -4v8\"/>\
             <text class=\"value\" x=\"{8:.1}\" y=\"{1:.1}\">{9:.digits$}</text>",
            LEFT - 8.0,
            middle + 4.5,
            escape(bar.name),
            middle - 7.0,
            (to - from).max(0.5),
            x(bar.interval.0),
            middle - 4.0,
            x(bar.interval.1),
            x(bar.value.max(bar.interval.1).max(0.0)) + 6.0,
            bar.value,
        );
    }
    svg + "</svg>"
}

/// One line of a chart.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) values: &'a [f64],
    pub(super) strong: bool,
}

/// Values for k = 1, 2, …, one line for each method; the names stand at the right ends.
pub(super) fn curves(title: &str, lines: &[Line<'_>]) -> String {
    const HEIGHT: f64 = 300.0;
    const SIDE: f64 = 40.0;
    const NAMES: f64 = 132.0;
    let points = lines.iter().map(|line| line.values.len()).max().unwrap_or(1).max(2);
    let most = lines.iter().flat_map(|line| line.values).copied().fold(0.0, f64::max);
    let step = step(most);
    let high = ((most / step).ceil() * step).max(step);
    let x = |k: usize| SIDE + (k - 1) as f64 / (points - 1) as f64 * (WIDTH - SIDE - NAMES);
    let y = |value: f64| TOP + (1.0 - value / high) * HEIGHT;
    let mut svg = open(title, TOP + HEIGHT + FOOT);
    for tick in ticks(0.0, high, step) {
        svg += &format!(
            "<line class=\"grid\" x1=\"{SIDE}\" x2=\"{0:.1}\" y1=\"{1:.1}\" y2=\"{1:.1}\"/>\
             <text class=\"tick\" x=\"{2:.1}\" y=\"{3:.1}\" text-anchor=\"end\">{4}</text>",
            WIDTH - NAMES,
            y(tick),
            SIDE - 6.0,
            y(tick) + 4.0,
            number(tick, step)
        );
    }
    for k in [1, 5, 10, 15, 20].into_iter().filter(|&k| k <= points) {
        let (at, under) = (x(k), TOP + HEIGHT + 16.0);
        svg += &format!("<text class=\"tick\" x=\"{at:.1}\" y=\"{under:.1}\" text-anchor=\"middle\">{k}</text>");
    }
    // Names at the ends, pushed apart where lines end close together.
    let mut ends: Vec<(f64, usize)> =
        lines.iter().enumerate().map(|(at, l)| (y(l.values.last().copied().unwrap_or(0.0)), at)).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut above = f64::NEG_INFINITY;
    for (end, _) in &mut ends {
        *end = end.max(above + 17.0);
        above = *end;
    }
    // What was pushed past the foot goes back up.
    let mut below = TOP + HEIGHT + 4.0;
    for (end, _) in ends.iter_mut().rev() {
        *end = end.min(below);
        below = *end - 17.0;
    }
    for (end, at) in ends {
        let line = &lines[at];
        let path: Vec<String> =
            line.values.iter().enumerate().map(|(k, &v)| format!("{:.1} {:.1}", x(k + 1), y(v))).collect();
        let class = if line.strong { "line strong".to_owned() } else { format!("line line{}", at % 6) };
        svg += &format!(
            "<path class=\"{class}\" d=\"M{0}\"/><text class=\"{class}\" x=\"{1:.1}\" y=\"{2:.1}\">{3}</text>",
            path.join("L"),
            WIDTH - NAMES + 8.0,
            end + 4.0,
            escape(line.name)
        );
    }
    svg + "</svg>"
}

/// What was foretold against what came, between 0 and 1; the area of a dot grows with its rows.
pub(super) fn calibration(title: &str, dots: &[(f64, f64, usize)]) -> String {
    const SIDE: f64 = 360.0;
    const LEFT: f64 = 40.0;
    let x = |value: f64| LEFT + value * SIDE;
    let y = |value: f64| TOP + (1.0 - value) * SIDE;
    let mut svg = format!(
        "<svg class=\"square\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\">",
        escape(title),
        LEFT + SIDE + 20.0,
        TOP + SIDE + FOOT
    );
    for tick in ticks(0.0, 1.0, 0.2) {
        svg += &format!(
            "<line class=\"grid\" x1=\"{0:.1}\" x2=\"{1:.1}\" y1=\"{2:.1}\" y2=\"{2:.1}\"/>\
             <text class=\"tick\" x=\"{3:.1}\" y=\"{4:.1}\" text-anchor=\"end\">{tick:.1}</text>\
             <text class=\"tick\" x=\"{5:.1}\" y=\"{6:.1}\" text-anchor=\"middle\">{tick:.1}</text>",
            x(0.0),
            x(1.0),
            y(tick),
            LEFT - 6.0,
            y(tick) + 4.0,
            x(tick),
            TOP + SIDE + 16.0
        );
    }
    svg += &format!("<path class=\"ideal\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>", x(0.0), y(0.0), x(1.0), y(1.0));
    let most = dots.iter().map(|dot| dot.2).max().unwrap_or(1).max(1) as f64;
    let path: Vec<String> = dots.iter().map(|&(p, o, _)| format!("{:.1} {:.1}", x(p), y(o))).collect();
    if !path.is_empty() {
        svg += &format!("<path class=\"line strong\" d=\"M{}\"/>", path.join("L"));
    }
    for &(predicted, observed, rows) in dots {
        let size = 2.5 + 6.0 * (rows as f64 / most).sqrt();
        let (at, up) = (x(predicted), y(observed));
        svg += &format!("<circle class=\"bar strong\" cx=\"{at:.1}\" cy=\"{up:.1}\" r=\"{size:.1}\"/>");
    }
    svg + "</svg>"
}

fn open(title: &str, height: f64) -> String {
    format!("<svg role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {WIDTH} {height:.0}\">", escape(title))
}

/// A round step that gives about five ticks.
fn step(span: f64) -> f64 {
    let rough = span.max(1e-6) / 5.0;
    let unit = 10_f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    unit * factors.into_iter().find(|factor| unit * factor >= rough * 0.999).unwrap_or(10.0)
}

fn ticks(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..=((high - low) / step).round() as usize).map(move |at| low + step * at as f64)
}

/// With as many digits as the step needs.
fn number(value: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).max(0.0) as usize;
    // No "-0.0".
    let value = if value.abs() < step / 1e3 { 0.0 } else { value };
    format!("{value:.digits$}")
}
