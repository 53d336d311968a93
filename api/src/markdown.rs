//! Markdown as people write it, and the HTML that may be shown of it.

use pulldown_cmark::{Event, Options, Parser, html};

/// As HTML that may be shown: HTML that is typed is shown as it was typed, and what comes out is rid of whatever could do
/// harm.
pub(crate) fn to_html(markdown: &str) -> String {
    let events =
        Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).map(|event| match event {
            Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
            event => event,
        });
    let mut harmless = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut harmless, events);
    ammonia::Builder::default().link_rel(Some("nofollow noopener ugc")).clean(&harmless).to_string()
}
