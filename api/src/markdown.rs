//! Markdown to HTML in which nothing can do harm.

use pulldown_cmark::{Parser, html};

/// The text as HTML, without scripts, styles, frames and whatever else could do harm.
pub(crate) fn to_safe_html(markdown: &str) -> String {
    let mut unsafe_html = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut unsafe_html, Parser::new(markdown));
    ammonia::clean(&unsafe_html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_do_harm_is_taken_out() {
        assert_eq!(to_safe_html("**now**"), "<p><strong>now</strong></p>\n");
        let html = to_safe_html("<script>alert(1)</script>\n\n[x](javascript:alert(1)) <img src=x onerror=alert(1)>");
        assert!(!html.contains("script") && !html.contains("onerror") && html.contains(">x</a>"), "{html}");
        // A mention is the name, and leads nowhere.
        assert!(!to_safe_html("@[Mei](person:UFA)").contains("person:"));
    }
}
