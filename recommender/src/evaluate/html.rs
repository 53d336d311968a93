//! The report as one page: no scripts, nothing loaded, light and dark, readable on a phone.

use super::svg::{Bar, Line, bars, calibration, curves};
use super::{CompletionReport, MIX, Metrics, Report};

/// Besides the mix, so many of the best engines have a curve.
const CURVES: usize = 5;

const STYLE: &str = include_str!("style.css");

/// A self-contained HTML page of one or several reports.
#[must_use]
pub fn page(reports: &[Report]) -> String {
    let sections: Vec<String> = reports.iter().map(section).collect();
    let contents: Vec<String> = reports
        .iter()
        .enumerate()
        .map(|(at, report)| format!("<a href=\"#r{at}\">{}</a>", escape(&report.protocol)))
        .collect();
    let contents = if reports.len() > 1 { format!("<nav>{}</nav>", contents.join(" · ")) } else { String::new() };
    let sections: Vec<String> = sections
        .into_iter()
        .enumerate()
        .map(|(at, section)| format!("<section id=\"r{at}\">{section}</section>"))
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>How well the recommender foretells</title>\
         <style>{STYLE}</style></head><body><main><h1>How well the recommender foretells</h1>{contents}{}\
         <footer>Bars and intervals: 95 %, by bootstrap over the questions. What each figure is stands in \
         docs/EVALUATION.md.</footer></main></body></html>\n",
        sections.concat()
    )
}

fn section(report: &Report) -> String {
    let mut html = format!(
        "<h2>{}</h2><p>{} questions, {} courses. Fitted on {} interactions of {} learners in {:.1} s; an answer takes \
         {:.0} µs.</p>",
        escape(&report.protocol),
        report.questions,
        report.courses,
        report.interactions,
        report.learners,
        report.fit_seconds,
        report.answer_micros
    );
    if let Some(mix) = report.mix() {
        html += &tiles(report, mix);
    }
    html += &table(report);
    let bar = |m: &'_ Metrics, value: f64, interval: (f64, f64)| (m.name.clone(), value, interval);
    let ndcg = report.methods.iter().map(|m| bar(m, m.ndcg_10, m.ndcg_10_interval));
    html += &figure("NDCG@10", &method_bars("NDCG at ten, by method", ndcg.collect()));
    let hits = report.methods.iter().map(|m| bar(m, m.hr_10, m.hr_10_interval));
    html += &figure("HR@10", &method_bars("Hit rate at ten, by method", hits.collect()));
    html += "<div class=\"pair\">";
    html += &figure("NDCG@k, the mix and the best engines", &method_curves(report, |m| &m.ndcg_at));
    html += &figure("HR@k, the mix and the best engines", &method_curves(report, |m| &m.hr_at));
    html += "</div>";
    html += &groups(report);
    html += &report.completion.as_ref().map(completion).unwrap_or_default();
    html += &ablation(report);
    html
}

/// The figures that are asked for first.
fn tiles(report: &Report, mix: &Metrics) -> String {
    let tile = |value: String, name: &str, note: String| {
        format!("<div class=\"tile\"><b>{value}</b><span>{name}</span><small>{}</small></div>", escape(&note))
    };
    let of = |(low, high): (f64, f64)| format!("{low:.3} to {high:.3}");
    let mut tiles = tile(format!("{:.3}", mix.ndcg_10), "NDCG@10", of(mix.ndcg_10_interval));
    tiles += &tile(format!("{:.3}", mix.hr_10), "HR@10", of(mix.hr_10_interval));
    if let Some(versus) = &report.mix_over_best {
        let (low, high) = versus.interval;
        let note = format!("{low:+.3} to {high:+.3}");
        tiles += &tile(format!("{:+.3}", versus.difference), &format!("over {}", escape(&versus.best_single)), note);
    }
    tiles += &tile(format!("{:.2}", mix.coverage_10), "coverage@10", "of the catalogue".into());
    let note = format!("{:.2} in histories", report.head_share);
    tiles += &tile(format!("{:.2}", mix.head_10), "to the top tenth", note);
    format!("<div class=\"tiles\">{tiles}</div>")
}

fn table(report: &Report) -> String {
    let heads =
        ["HR@10", "NDCG@10", "95 %", "MRR", "recall@20", "coverage@10", "novelty", "diversity", "head@10", "gap"];
    let heads: Vec<String> = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let optional = |value: Option<f64>, digits: usize| value.map_or("–".to_owned(), |v| format!("{v:.digits$}"));
    let row = |m: &Metrics| {
        let class = if m.name == MIX { " class=\"strong\"" } else { "" };
        let (low, high) = m.ndcg_10_interval;
        let cells = [
            format!("{:.3}", m.hr_10),
            format!("{:.3}", m.ndcg_10),
            format!("{low:.3}–{high:.3}"),
            format!("{:.3}", m.mrr),
            format!("{:.3}", m.recall_20),
            format!("{:.3}", m.coverage_10),
            format!("{:.2}", m.novelty_10),
            optional(m.diversity_10, 3),
            format!("{:.3}", m.head_10),
            optional(m.group_gap, 3),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr{class}><th scope=\"row\">{}</th>{}</tr>", escape(&m.name), cells.concat())
    };
    let rows: Vec<String> = report.methods.iter().map(row).collect();
    let left_out = if report.left_out.is_empty() {
        String::new()
    } else {
        format!("<p>Left out, having no ground in this data: {}.</p>", escape(&report.left_out.join(", ")))
    };
    format!(
        "<div class=\"wide\"><table><thead><tr><th scope=\"col\">method</th>{}</tr></thead><tbody>{}</tbody></table>\
         </div>{left_out}",
        heads.concat(),
        rows.concat()
    )
}

fn method_bars(title: &str, mut values: Vec<(String, f64, (f64, f64))>) -> String {
    values.sort_by(|a, b| b.1.total_cmp(&a.1));
    let drawn: Vec<Bar<'_>> = values
        .iter()
        .map(|(name, value, interval)| Bar { name, value: *value, interval: *interval, strong: name == MIX })
        .collect();
    bars(title, &drawn, 3)
}

fn method_curves(report: &Report, of: impl Fn(&Metrics) -> &[f64]) -> String {
    let mut best: Vec<&Metrics> = report.methods.iter().filter(|m| m.name != MIX).collect();
    best.sort_by(|a, b| b.ndcg_10.total_cmp(&a.ndcg_10));
    best.truncate(CURVES);
    best.extend(report.mix());
    let lines: Vec<Line<'_>> =
        best.iter().map(|m| Line { name: &m.name, values: of(m), strong: m.name == MIX }).collect();
    curves("By how far down the list one looks, 1 to 20", &lines)
}

fn groups(report: &Report) -> String {
    if report.groups.is_empty() {
        return String::new();
    }
    let names: Vec<String> = report
        .groups
        .iter()
        .map(|g| format!("{} ({})", g.group.split(" (").next().unwrap_or(g.group), g.questions))
        .collect();
    let drawn: Vec<Bar<'_>> = report
        .groups
        .iter()
        .zip(&names)
        .map(|(g, name)| {
            let interval = (g.ndcg_10 - g.ndcg_10_half_width, g.ndcg_10 + g.ndcg_10_half_width);
            Bar { name, value: g.ndcg_10, interval, strong: true }
        })
        .collect();
    let gap = |gap: &super::Gap| {
        format!(
            "<li>{}: {:+.3} ({} against {})</li>",
            escape(&gap.by.replace('_', " ")),
            gap.gap,
            escape(gap.worst),
            escape(gap.best)
        )
    };
    let gaps: Vec<String> = report.gaps.iter().map(gap).collect();
    let list = if gaps.is_empty() { String::new() } else { format!("<ul>{}</ul>", gaps.concat()) };
    figure("NDCG@10 of the mix by group (questions)", &bars("NDCG at ten by group", &drawn, 3)) + &list
}

fn completion(report: &CompletionReport) -> String {
    let text = format!(
        "<p>{} rows, {:.3} of them completed. AUC {:.3}, Brier {:.3}, ECE {:.3}.</p>",
        report.rows, report.base_rate, report.auc, report.brier, report.ece
    );
    let drawn = calibration("Completion foretold (across) against completion that came (up)", &report.curve);
    figure("Will she complete it? Foretold (across) against what came (up)", &drawn) + &text
}

fn ablation(report: &Report) -> String {
    if report.ablation.is_empty() {
        return String::new();
    }
    let name = |a: &super::Ablated| if a.kind == "engine" { a.part.clone() } else { format!("{} (features)", a.part) };
    let names: Vec<String> = report.ablation.iter().map(name).collect();
    let drawn: Vec<Bar<'_>> = report
        .ablation
        .iter()
        .zip(&names)
        .map(|(a, name)| Bar { name, value: a.difference, interval: a.interval, strong: a.interval.1 < 0.0 })
        .collect();
    figure("What NDCG@10 changes by without a part", &bars("Change of NDCG at ten without each part", &drawn, 4))
}

fn figure(caption: &str, svg: &str) -> String {
    format!("<figure><figcaption>{}</figcaption>{svg}</figure>", escape(caption))
}

/// Text as HTML shows it.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalogue, Course, Interaction, InteractionsBuilder, Settings};

    #[test]
    fn the_page_stands_alone_and_a_label_is_only_text() {
        let courses = (0..12).map(|at| Course { key: at.to_string(), ..Course::default() });
        let catalogue = Catalogue::new(vec![], courses.collect()).expect("good");
        let mut rows = InteractionsBuilder::new(&catalogue);
        for learner in 0_u32..20 {
            for step in 0..4 {
                let row = Interaction::new((learner + step) % 12, i64::from(learner * 100 + step));
                rows.push(learner.into(), row).expect("good");
            }
        }
        let engine = crate::EngineSettings::new("rules").labelled("<b>rules</b>");
        let settings = Settings { engines: vec![engine], ..Settings::default() };
        let mut report =
            super::super::leave_last_out(&catalogue, &rows.build(), &settings, &mut |_| ()).expect("judged");
        let curve = vec![(0.2, 0.3, 9)];
        report.completion = Some(CompletionReport { rows: 9, base_rate: 0.3, auc: 0.7, brier: 0.1, ece: 0.1, curve });
        let html = page(&[report.clone(), report]);
        assert!(html.contains("&lt;b&gt;rules&lt;/b&gt;") && !html.contains("<b>rules"));
        for outside in ["<script", "http:", "https:", "url(", "@import", "NaN", "inf\""] {
            assert!(!html.contains(outside), "{outside}");
        }
        for tag in ["svg", "figure", "section", "table", "div"] {
            let (opened, closed) =
                (html.matches(&format!("<{tag}")).count(), html.matches(&format!("</{tag}>")).count());
            assert_eq!(opened, closed, "{tag}");
        }
        assert!(html.contains("AUC 0.700") && html.contains("href=\"#r1\""));
    }
}
