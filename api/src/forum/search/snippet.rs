//! What surrounds that which was found.

use pulldown_cmark::{Event, Parser, TagEnd};

use super::{Query, Term, is_of_a_word};

/// So many characters stand before the first word that was found, and so many after its beginning.
const BEFORE: usize = 60;
const AFTER: usize = 160;

/// A part of a snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The text.
    pub(crate) text: String,
    /// Whether it is what was looked for.
    pub(crate) is_match: bool,
}

/// A piece of a text in Markdown around the first thing in it that was looked for, as plain text.
pub(crate) fn of_markdown(markdown: &str, query: &Query) -> Vec<Part> {
    let mut text = String::with_capacity(markdown.len());
    for event in Parser::new(markdown) {
        match event {
            Event::Text(piece) | Event::Code(piece) => text.push_str(&piece),
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::CodeBlock) => text.push(' '),
            _ => {}
        }
    }
    of_text(text.trim(), query)
}

/// A piece of a plain text around the first thing in it that was looked for.
pub(crate) fn of_text(text: &str, query: &Query) -> Vec<Part> {
    let text: Vec<char> = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let matches = matches(&text, query);
    let first = matches.first().map_or(0, |(from, _)| *from);
    let start = before(&text, first.saturating_sub(BEFORE));
    let end = after(&text, (first + AFTER).min(text.len()));
    let mut parts = Vec::new();
    let mut push = |from: usize, to: usize, is_match| {
        if from < to {
            parts.push(Part { text: text[from..to].iter().collect(), is_match });
        }
    };
    let mut at = start;
    for (from, to) in matches.into_iter().filter(|(from, to)| *from >= start && *to <= end) {
        push(at, from, false);
        push(from, to, true);
        at = to;
    }
    push(at, end, false);
    if let Some(part) = parts.first_mut().filter(|_| start > 0) {
        part.text.insert(0, '…');
    }
    if let Some(part) = parts.last_mut().filter(|_| end < text.len()) {
        part.text.push('…');
    }
    parts
}

/// The beginning of the word at a place. A word without an end is cut.
fn before(text: &[char], at: usize) -> usize {
    let near = at.saturating_sub(BEFORE);
    text[near..at].iter().rposition(|c| *c == ' ').map_or(near, |space| near + space + 1)
}

/// The end of the word at a place. A word without an end is cut.
fn after(text: &[char], at: usize) -> usize {
    let far = (at + BEFORE).min(text.len());
    text[at..far].iter().position(|c| *c == ' ').map_or(far, |length| at + length)
}

/// Where the words are that were looked for, in order, without overlaps.
fn matches(text: &[char], query: &Query) -> Vec<(usize, usize)> {
    let mut words: Vec<(String, usize, usize)> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let length = text[at..].iter().position(|c| !is_of_a_word(*c)).unwrap_or(text.len() - at);
        if length > 0 {
            words.push((folded(&text[at..at + length]), at, at + length));
        }
        at += length + 1;
    }
    let fold = |word: &String| folded(&word.chars().collect::<Vec<_>>());
    let terms: Vec<(Vec<String>, &Term)> =
        query.wanted.iter().map(|term| (term.words.iter().map(fold).collect(), term)).collect();
    let mut found = Vec::new();
    let mut index = 0;
    while index < words.len() {
        let here = &words[index..];
        let fits = |(wanted, term): &&(Vec<String>, &Term)| {
            wanted.len() <= here.len()
                && wanted.iter().zip(here).enumerate().all(|(place, (wanted, (word, ..)))| {
                    let may_go_on = term.is_prefix && place + 1 == term.words.len();
                    word == wanted || (may_go_on && word.starts_with(wanted.as_str()))
                })
        };
        let longest = terms.iter().filter(fits).map(|(wanted, _)| wanted.len()).max().unwrap_or(0);
        if longest > 0 {
            found.push((here[0].1, here[longest - 1].2));
        }
        index += longest.max(1);
    }
    found
}

/// A word as it is compared, near enough to what the databases do to show where it stands: they alone say what is found.
fn folded(word: &[char]) -> String {
    let mut folded = String::with_capacity(word.len());
    for c in word.iter().flat_map(|c| c.to_lowercase()).filter(|c| !('\u{300}'..='\u{36f}').contains(c)) {
        let plain = ACCENTED.chars().zip(PLAIN.chars()).find(|(accented, _)| !c.is_ascii() && *accented == c);
        folded.push(plain.map_or(c, |(_, plain)| plain));
    }
    folded
}

/// Latin letters with accents, and in the same order without.
const ACCENTED: &str = "àáâãäåçèéêëìíîïñòóôõöùúûüýÿāăąćĉċčďēĕėęěĝğġģĥĩīĭįĵķĺļľńņňōŏőŕŗřśŝşšţťũūŭůűųŵŷźżžơưǎǐǒǔǖǘǚǜǟǡǧǩǫǭǰǵǹǻȁȃȅȇȉȋȍȏȑȓ\
    ȕȗșțȟȧȩȫȭȯȱȳḁḃḅḇḉḋḍḏḑḓḕḗḙḛḝḟḡḣḥḧḩḫḭḯḱḳḵḷḹḻḽḿṁṃṅṇṉṋṍṏṑṓṕṗṙṛṝṟṡṣṥṧṩṫṭṯṱṳṵṷṹṻṽṿẁẃẅẇẉẋẍẏẑẓẕẖẗẘẙạảấầẩẫậắằẳẵặẹẻẽếềểễ\
    ệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ";
const PLAIN: &str = "aaaaaaceeeeiiiinooooouuuuyyaaaccccdeeeeegggghiiiijklllnnnooorrrssssttuuuuuuwyzzzouaiouuuuuaagkoojgnaaaeeiioorr\
    uusthaeooooyabbbcdddddeeeeefghhhhhiikkkllllmmmnnnnoooopprrrrsssssttttuuuuuvvwwwwwxxyzzzhtwyaaaaaaaaaaaaeeeeeee\
    eiioooooooooooouuuuuuuyyyy";

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(markdown: &str, query: &str) -> String {
        let parts = of_markdown(markdown, &Query::parse(query));
        parts.into_iter().map(|part| if part.is_match { format!("[{}]", part.text) } else { part.text }).collect()
    }

    #[test]
    fn it_shows_the_words_that_were_looked_for_without_markup() {
        assert_eq!(
            shown("I counted **two** in a spade\nof soil.", "TWO \"of soil\""),
            "I counted [two] in a spade [of soil]."
        );
        assert_eq!(shown("Crème <b>brûlée</b>, [here](https://x.example)", "creme brul*"), "[Crème] [brûlée], here");
        assert_eq!(shown("nothing of it", "worms"), "nothing of it");
        assert_eq!(ACCENTED.chars().count(), PLAIN.chars().count());
    }

    #[test]
    fn it_is_short_and_begins_and_ends_with_whole_words() {
        let text = format!("{} worm {}", "before ".repeat(50), "after ".repeat(50));
        let snippet = shown(&text, "worm");
        assert!(snippet.starts_with("…before ") && snippet.ends_with(" after…"), "{snippet}");
        assert!(snippet.contains(" [worm] ") && snippet.chars().count() < 260, "{snippet}");
        assert!(shown(&"x".repeat(50_000), "worm").chars().count() < 260, "a word without an end is cut");
    }
}
