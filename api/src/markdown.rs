//! What people write, in Markdown.

use pulldown_cmark::{Options, Parser, html};

/// As HTML that can be shown: whatever could do harm is taken out of it.
pub fn to_safe_html(markdown: &str) -> String {
    let mut written = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut written, Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES));
    ammonia::Builder::default().add_generic_attributes(std::iter::empty::<&str>()).clean(&written).to_string()
}
