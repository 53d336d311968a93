//! The texts of the catalogue.

/// The text of a piece of HTML: without tags, with its entities resolved, white space made single.
pub(super) fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        text.push_str(before);
        // "a < b" and "<>" are no tags.
        let is_tag = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        match tag.find('>') {
            Some(end) if is_tag => {
                text.push(' ');
                rest = &tag[end + 1..];
            }
            _ => {
                text.push('<');
                rest = &tag[1..];
            }
        }
    }
    text.push_str(rest);
    // The ampersand last, lest "&amp;lt;" be resolved twice.
    for (entity, character) in
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        if text.contains(entity) {
            text = text.replace(entity, character);
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text, cut after a word where it is longer than `longest` characters.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let end = text.char_indices().nth(longest - 1).map_or(text.len(), |(end, _)| end);
    let end = text[..end].rfind(' ').unwrap_or(end);
    format!("{}…", text[..end].trim_end_matches([',', ';', ':', ' ']))
}

/// The values of a list as Python writes it: `['Excel', "Editor's choice"]`.
pub(super) fn listed(list: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = list;
    while let Some(start) = rest.find(['\'', '"']) {
        let (quote, after) = rest[start..].split_at(1);
        let Some(end) = after.find(quote) else { break };
        let value = after[..end].trim();
        if !value.is_empty() {
            values.push(value.to_owned());
        }
        rest = &after[end + 1..];
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_text() {
        assert_eq!(plain("<p>Learn <b>Excel</b> &amp; more</p>\n<br/>Now"), "Learn Excel & more Now");
        assert_eq!(plain("if a < b, use <> and &amp;lt;"), "if a < b, use <> and &lt;");
    }

    #[test]
    fn long_texts_end_after_a_word() {
        assert_eq!(shortened("one, two, three", 11), "one, two…");
        assert_eq!(shortened("one, two", 8), "one, two");
        assert_eq!(shortened("éééééé", 4), "ééé…");
    }

    #[test]
    fn lists_are_read_as_python_writes_them() {
        assert_eq!(listed(r#"['Telephony & Visio', "Editor's choice"]"#), ["Telephony & Visio", "Editor's choice"]);
        assert_eq!(listed("[]"), Vec::<String>::new());
        assert_eq!(listed("['broken"), Vec::<String>::new());
    }
}
