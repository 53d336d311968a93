//! Markdown as people write it, and the HTML that may be shown of it.
//!
//! What somebody posts is shown to others, so nothing in it may run, load what was not meant to be loaded, or pretend to be a part
//! of the page. There are three walls, and each would do alone: HTML that is typed is shown as it was typed, and is never HTML again;
//! addresses are kept only where they are known to be harmless; and what comes out is parsed again as a browser would, and rid of
//! all that is not on a short list.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, html};

/// What is deeper than this inside of other things (quotes, lists) is shown at this depth. Nobody can read it anyhow, and browsers
/// get slow or give up.
const MAX_NESTING: usize = 24;

/// What becomes more than so many times as long is shown as it was typed: a table of a thousand columns and one cell in each row is
/// short to type, and long to read.
const MOST_TIMES: usize = 10;

/// The names of elements that could do harm if they were HTML: whoever types them means code, or harm.
const HARMFUL: &[&str] = &[
    "applet",
    "audio",
    "base",
    "embed",
    "form",
    "frame",
    "frameset",
    "iframe",
    "layer",
    "link",
    "marquee",
    "math",
    "meta",
    "noembed",
    "noscript",
    "object",
    "plaintext",
    "portal",
    "script",
    "style",
    "svg",
    "template",
    "textarea",
    "video",
    "xml",
    "xmp",
    "xss",
];

/// That a text holds markup which could do harm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsafe {
    /// An element.
    #[error("`<{0}>` is not shown in a post: put it into a code block, between lines of ```")]
    Element(String),
    /// An attribute that runs something.
    #[error("HTML with `{0}` is not shown in a post: put it into a code block, between lines of ```")]
    Attribute(String),
    /// An address that is not one.
    #[error("a link or picture can't go to `{0}:`: give an address that begins with https://, http:// or mailto:")]
    Scheme(String),
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// Refuses what is typed to do harm. In code everything may be shown.
pub fn check(markdown: &str) -> Result<(), Unsafe> {
    // A block of HTML comes line by line, so that a tag may be spread over several; text comes in pieces, too.
    let (mut html, mut text, mut in_code) = (String::new(), String::new(), false);
    for (event, place) in Parser::new_ext(markdown, options()).into_offset_iter() {
        match event {
            Event::Html(part) => html += &part,
            Event::InlineHtml(part) => check_html(&part)?,
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(_) if in_code => {}
            Event::Text(_) => {
                // As it was typed: `&lt;` and `\<` are what one types to show a `<`.
                let is_escaped = markdown[..place.start].ends_with('\\');
                let typed = &markdown[place];
                text += if is_escaped { typed.trim_start_matches('<') } else { typed };
            }
            event => {
                check_html(&std::mem::take(&mut html))?;
                check_text(&std::mem::take(&mut text))?;
                if let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = &event {
                    check_address(dest_url)?;
                }
            }
        }
    }
    check_html(&html).and(check_text(&text))
}

/// As HTML that may be shown: see the module.
pub fn to_html(markdown: &str) -> String {
    let mut harmless = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut harmless, Harmless::new(Parser::new_ext(markdown, options())));
    if harmless.len() > MOST_TIMES * markdown.len() + 1_000 {
        harmless = format!("<pre>{}</pre>", ammonia::clean_text(markdown));
    }
    CLEANER.clean(&harmless).to_string()
}

/// The scheme of an address as a browser finds it: it skips blanks and control characters, and letters may be of either case.
fn scheme(address: &str) -> Option<String> {
    let mut scheme = String::new();
    for letter in address.chars() {
        match letter {
            ':' => return Some(scheme),
            '/' | '?' | '#' => return None,
            letter if letter.is_whitespace() || letter.is_control() || !is_visible(letter) => {}
            letter => scheme.extend(letter.to_lowercase()),
        }
        if scheme.len() > 40 {
            return None;
        }
    }
    None
}

/// Not one of the characters that nobody sees: zero-width ones, marks of direction.
fn is_visible(letter: char) -> bool {
    !matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Whether a link may go there.
fn is_link(address: &str) -> bool {
    scheme(address).is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https" | "mailto"))
        && address.chars().all(|letter| !letter.is_control() && is_visible(letter))
}

/// Whether a picture may be loaded from there: without TLS, others on the way could read what is looked at.
fn is_picture(address: &str) -> bool {
    is_link(address) && address.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

fn check_address(address: &str) -> Result<(), Unsafe> {
    match scheme(address) {
        Some(scheme) if matches!(scheme.as_str(), "javascript" | "vbscript" | "livescript" | "data" | "mocha") => {
            Err(Unsafe::Scheme(scheme))
        }
        _ => Ok(()),
    }
}

/// Looks for what could do harm in typed HTML. It need not find everything, since none of it becomes HTML: it is here to tell the
/// author.
fn check_html(typed: &str) -> Result<(), Unsafe> {
    let typed = typed.to_lowercase();
    for rest in typed.split('<').skip(1) {
        let rest = rest.trim_start_matches(['/', '!', '?', ' ', '\0']);
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        if HARMFUL.contains(&&rest[..end]) {
            return Err(Unsafe::Element(rest[..end].to_owned()));
        }
        if let Some(name) = attributes(rest) {
            return Err(Unsafe::Attribute(name));
        }
    }
    let packed: String = typed.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control()).collect();
    for scheme in ["javascript:", "vbscript:", "data:text/html", "javascript&colon;"] {
        if packed.contains(scheme) {
            return Err(Unsafe::Attribute(scheme.to_owned()));
        }
    }
    Ok(())
}

/// Looks for harmful elements in what is text to Markdown and a tag to browsers, such as `<svg/onload=…>`.
fn check_text(typed: &str) -> Result<(), Unsafe> {
    for rest in typed.split('<').skip(1) {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        if HARMFUL.contains(&name.as_str()) {
            return Err(Unsafe::Element(name));
        }
    }
    Ok(())
}

/// The first attribute of a tag that runs something or changes how the page looks.
fn attributes(tag: &str) -> Option<String> {
    let tag = tag.split('>').next().unwrap_or_default();
    let mut names =
        tag.split(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '"' | '\'' | '`')).skip(1);
    names.find_map(|word| {
        let (name, _) = word.split_once('=').unwrap_or((word, ""));
        let runs =
            name.len() > 3 && name.starts_with("on") && name[2..].bytes().all(|letter| letter.is_ascii_lowercase());
        let is_followed = tag.split(name).nth(1).is_some_and(|rest| rest.trim_start().starts_with('='));
        ((runs || matches!(name, "style" | "srcdoc" | "formaction" | "xlink:href")) && is_followed)
            .then(|| format!("{name}="))
    })
}

/// The parts of a text without what could do harm.
struct Harmless<I> {
    events: I,
    depth: usize,
    /// For each open link or picture whether it is shown as one. They can't be inside of one another, but for pictures in links.
    shown: Vec<bool>,
}

impl<'a, I: Iterator<Item = Event<'a>>> Harmless<I> {
    fn new(events: I) -> Self {
        Self { events, depth: 0, shown: Vec::new() }
    }
}

impl<'a, I: Iterator<Item = Event<'a>>> Iterator for Harmless<I> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        loop {
            let event = self.events.next()?;
            match event {
                // What is typed as HTML is text. A line of it ends as it was typed.
                Event::Html(text) | Event::InlineHtml(text) => return Some(Event::Text(text)),
                Event::TaskListMarker(done) => {
                    return Some(Event::Text(CowStr::Borrowed(if done { "☑ " } else { "☐ " })));
                }
                Event::Start(Tag::HtmlBlock) => return Some(Event::Start(Tag::Paragraph)),
                Event::End(TagEnd::HtmlBlock) => return Some(Event::End(TagEnd::Paragraph)),
                Event::Start(tag) => {
                    self.depth += 1;
                    let is_shown = self.depth <= MAX_NESTING
                        && match &tag {
                            Tag::Link { link_type: LinkType::Email, .. } => true,
                            Tag::Link { dest_url, .. } => is_link(dest_url),
                            Tag::Image { dest_url, .. } => is_picture(dest_url),
                            _ => true,
                        };
                    if matches!(tag, Tag::Link { .. } | Tag::Image { .. }) {
                        self.shown.push(is_shown);
                    }
                    if is_shown {
                        return Some(Event::Start(tag));
                    }
                }
                Event::End(tag) => {
                    let is_shallow = self.depth <= MAX_NESTING;
                    self.depth = self.depth.saturating_sub(1);
                    let is_shown = match tag {
                        TagEnd::Link | TagEnd::Image => self.shown.pop().unwrap_or(false),
                        _ => is_shallow,
                    };
                    if is_shown {
                        return Some(Event::End(tag));
                    }
                }
                event => return Some(event),
            }
        }
    }
}

/// What is on the short list.
static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let tags = [
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "strong",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ];
    let attributes: HashMap<&str, HashSet<&str>> = HashMap::from([
        ("a", HashSet::from(["href", "title"])),
        ("code", HashSet::from(["class"])),
        ("img", HashSet::from(["src", "alt", "title"])),
        ("ol", HashSet::from(["start"])),
        ("td", HashSet::from(["align"])),
        ("th", HashSet::from(["align"])),
    ]);
    let mut builder = ammonia::Builder::empty();
    builder
        .tags(HashSet::from(tags))
        .clean_content_tags(HashSet::from(["script", "style"]))
        .tag_attributes(attributes)
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("nofollow noopener ugc"))
        // Whose server holds a picture need not know from which page it is looked at.
        .set_tag_attribute_value("img", "referrerpolicy", "no-referrer")
        .set_tag_attribute_value("img", "loading", "lazy")
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("a", "href") => is_link(value).then_some(Cow::Borrowed(value)),
            ("img", "src") => is_picture(value).then_some(Cow::Borrowed(value)),
            ("code", "class") => is_language(value).then_some(Cow::Borrowed(value)),
            _ => Some(Cow::Borrowed(value)),
        });
    builder
});

/// Whether a class says in what language code is written, and nothing else.
fn is_language(class: &str) -> bool {
    class.strip_prefix("language-").is_some_and(|name| {
        (1..=30).contains(&name.len())
            && name.bytes().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'+' | b'-' | b'#' | b'_'))
    })
}

#[cfg(test)]
mod tests;
