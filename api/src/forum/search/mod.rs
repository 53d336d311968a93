//! Searching forums.
//!
//! What somebody types is taken apart here, into words, phrases, beginnings of words, and what must not be there; each
//! database gets it in its own dialect, with nothing in it but letters and digits. So no text is an error, and none says anything to
//! a database that we did not say.
//!
//! Hits come titles first, then the newest. That order, not a score, since scores are made of how often a word is used in all
//! texts: they would tell of forums that the searcher may not read.
//!
//! Invariant: whether, where and in which order something is found depends on the forums that are searched, and on nothing else.
//! Who wrote something is not searched, so anonymity is not undone by it.

pub(crate) mod loaders;
pub(crate) mod snippet;
pub(crate) mod store;

use uuid::Uuid;

use super::model::ThreadKind;
use crate::{
    db::page::PageRequest,
    ids::{AccountId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

/// So much of what somebody types is looked at, in characters.
const MAX_TEXT: usize = 500;
/// So many terms of it.
const MAX_TERMS: usize = 16;
/// The shortest beginning of a word that is taken for one: shorter ones fit half of all words.
const MIN_PREFIX: usize = 2;

/// Something to be found, or not to be there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Term {
    /// One word, or several that follow each other.
    words: Vec<String>,
    /// Whether the last one is but the beginning of a word.
    is_prefix: bool,
}

/// What somebody looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Query {
    wanted: Vec<Term>,
    unwanted: Vec<Term>,
}

impl Query {
    /// Of what somebody types: `words`, `"several in a row"`, `-without`, `begin*`. What stands together with signs in between, such as
    /// `step-by-step`, is several words in a row. There is no text that it does not understand.
    pub(crate) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let text: Vec<char> = text.chars().take(MAX_TEXT).collect();
        let mut at = 0;
        while at < text.len() && query.wanted.len() + query.unwanted.len() < MAX_TERMS {
            if text[at].is_whitespace() {
                at += 1;
                continue;
            }
            let is_unwanted = text[at] == '-';
            if is_unwanted {
                at += 1;
            }
            let is_quoted = text.get(at) == Some(&'"');
            if is_quoted {
                at += 1;
            }
            let ends = |c: char| if is_quoted { c == '"' } else { c.is_whitespace() || c == '"' };
            let end = text[at..].iter().position(|c| ends(*c)).map_or(text.len(), |length| at + length);
            let words = words(&text[at..end]);
            let long_enough = words.last().is_some_and(|word| word.chars().count() >= MIN_PREFIX);
            let is_prefix = !is_quoted && long_enough && text[at..end].last() == Some(&'*');
            at = if is_quoted { end + 1 } else { end };
            if !words.is_empty() {
                let terms = if is_unwanted { &mut query.unwanted } else { &mut query.wanted };
                terms.push(Term { words, is_prefix });
            }
        }
        query
    }

    /// Whether there is nothing to look for. What must not be there is no search by itself.
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// For the index of SQLite.
    pub(in crate::forum) fn for_lite(&self) -> String {
        let term = |term: &Term| format!("\"{}\"{}", term.words.join(" "), if term.is_prefix { "*" } else { "" });
        let wanted: Vec<_> = self.wanted.iter().map(term).collect();
        self.unwanted
            .iter()
            .fold(format!("({})", wanted.join(" AND ")), |query, unwanted| format!("({query} NOT {})", term(unwanted)))
    }

    /// For PostgreSQL.
    pub(in crate::forum) fn for_pg(&self) -> String {
        let term = |term: &Term| {
            let words: Vec<_> = term.words.iter().map(|word| format!("'{word}'")).collect();
            format!("({}{})", words.join(" <-> "), if term.is_prefix { ":*" } else { "" })
        };
        let wanted = self.wanted.iter().map(term);
        let unwanted = self.unwanted.iter().map(|unwanted| format!("!{}", term(unwanted)));
        wanted.chain(unwanted).collect::<Vec<_>>().join(" & ")
    }
}

/// The words in a text: what is between them is left out, signs that a database could take for its own among it.
fn words(text: &[char]) -> Vec<String> {
    text.split(|c| !is_of_a_word(*c)).filter(|word| !word.is_empty()).map(|word| word.iter().collect()).collect()
}

/// Letters, digits, and the accents that follow a letter.
fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c)
}

/// Which of what is found is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    /// In threads of this kind.
    pub(crate) kind: Option<ThreadKind>,
    /// In threads that have an accepted answer, or in those that have none.
    pub(crate) answered: Option<bool>,
    /// What this person wrote: the viewer herself.
    pub(crate) author: Option<AccountId>,
}

/// The order of hits: whether it is a title, when it was written, its id.
pub(crate) type HitKey = (i64, i64, Uuid);

/// A search, and the part of what it finds that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Search {
    /// What is looked for.
    pub(crate) query: Query,
    /// Which of it.
    pub(crate) filter: Filter,
    /// Which part of it.
    pub(crate) page: PageRequest<HitKey>,
}

/// Something that was found.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    /// In which course.
    pub(crate) course_id: CourseId,
    /// In which thread.
    pub(crate) thread_id: ThreadId,
    /// The post; `None` where it is the thread's title.
    pub(crate) post_id: Option<PostId>,
    /// When it was written.
    pub(crate) at: Timestamp,
}

impl Hit {
    /// Its place in the order.
    pub(crate) fn key(&self) -> HitKey {
        (self.post_id.is_none().into(), self.at.0, self.post_id.map_or(self.thread_id.0, |post| post.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(text: &str) -> (String, String) {
        let query = Query::parse(text);
        (query.for_lite(), query.for_pg())
    }

    #[test]
    fn words_phrases_beginnings_and_what_must_not_be_there_are_told_apart() {
        let (lite, pg) = both(r#"worms "spade of soil" -sand compo* -"too wet""#);
        assert_eq!(lite, r#"((("worms" AND "spade of soil" AND "compo"*) NOT "sand") NOT "too wet")"#);
        assert_eq!(pg, "('worms') & ('spade' <-> 'of' <-> 'soil') & ('compo':*) & !('sand') & !('too' <-> 'wet')");
        assert_eq!(both("step-by-step").1, "('step' <-> 'by' <-> 'step')");
        assert_eq!(
            both(r#"say"no more"#).1,
            "('say') & ('no' <-> 'more')",
            "a quote ends a word, and need not be closed"
        );
        assert_eq!(both("a* x").1, "('a') & ('x')", "one letter begins too much");
    }

    #[test]
    fn what_has_no_words_to_look_for_is_empty() {
        for text in ["", "  ", "-", "\"", "-\"\"", "***", "'; --", "-sand", "\0", "&|!()", "🪱"] {
            assert!(Query::parse(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn nothing_but_letters_and_digits_reaches_a_database() {
        let (lite, pg) = both("a'b\"c\\d:e NEAR(x) OR {col}:y ^z a\0b co:* '':*");
        for word in lite.split(['"', '(', ')', ' ', '*']).filter(|word| !["", "AND", "NOT"].contains(word)) {
            assert!(word.chars().all(char::is_alphanumeric), "{lite}");
        }
        for word in pg.split(['\'', '(', ')', ' ']).filter(|word| !["", "&", "<->", "!", ":*"].contains(word)) {
            assert!(word.chars().all(char::is_alphanumeric), "{pg}");
        }
        assert!(both(&"word ".repeat(1_000)).0.matches("word").count() <= MAX_TERMS);
    }
}
