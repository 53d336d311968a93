//! The words of the campus: what is taught, who learns, and what is said. They stand in text files beside
//! this one, so that they can be read and extended without reading Rust.

use std::collections::BTreeMap;

use super::draw::Draw;

/// What a topic is called and what it has to offer.
#[derive(Debug, Default)]
pub(super) struct Topic {
    pub(super) name: &'static str,
    /// Places of topics that people often want together with this one.
    pub(super) related: Vec<usize>,
    /// Whether people talk about code here.
    pub(super) has_code: bool,
    pub(super) subjects: Vec<Subject>,
}

/// Something that a few courses can be made about.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) language: &'static str,
    pub(super) name: &'static str,
    pub(super) concepts: Vec<&'static str>,
}

/// Where people come from.
#[derive(Debug)]
pub(super) struct Region {
    /// The languages in which they learn, the first most of all.
    pub(super) languages: Vec<&'static str>,
    pub(super) given: Vec<&'static str>,
    pub(super) family: Vec<&'static str>,
}

/// All words.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) topics: Vec<Topic>,
    pub(super) regions: Vec<Region>,
    phrases: BTreeMap<(&'static str, &'static str), Vec<&'static str>>,
}

impl Words {
    pub(super) fn read() -> Self {
        Self {
            topics: topics(include_str!("subjects.txt")),
            regions: regions(include_str!("names.txt")),
            phrases: phrases(include_str!("phrases.txt")),
        }
    }

    /// The phrases for a purpose in a language.
    pub(super) fn phrases(&self, language: &str, part: &str) -> &[&'static str] {
        // The keys outlive any look-up, so a look-up may borrow for less.
        self.phrases.iter().find(|((tag, name), _)| *tag == language && *name == part).map_or(&[], |(_, found)| found)
    }

    /// One phrase for a purpose.
    pub(super) fn phrase(&self, draw: &mut Draw, language: &str, part: &str) -> &'static str {
        draw.pick(self.phrases(language, part)).copied().unwrap_or("")
    }

    /// The place of a topic; 0 where there is none of this name.
    pub(super) fn topic(&self, name: &str) -> usize {
        self.topics.iter().position(|topic| topic.name == name).unwrap_or(0)
    }
}

/// The text with what its placeholders stand for.
pub(super) fn filled(phrase: &str, values: &[(&str, &str)]) -> String {
    let mut text = phrase.replace("\\n", "\n");
    for (placeholder, value) in values {
        if text.contains(placeholder) {
            text = text.replace(placeholder, value);
        }
    }
    text
}

/// The text with a capital first letter.
pub(super) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// The sections of a file: what follows `==`, and the lines below.
fn sections(text: &'static str) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    // What precedes the first section is a comment.
    text.split("\n== ").skip(1).map(|section| {
        let (head, body) = section.split_once('\n').unwrap_or((section, ""));
        (head.trim(), body.lines().filter(|line| !line.trim().is_empty()).collect())
    })
}

fn topics(text: &'static str) -> Vec<Topic> {
    let mut topics = Vec::new();
    let mut relations = Vec::new();
    for (head, lines) in sections(text) {
        let mut head = head.split(" | ");
        let name = head.next().unwrap_or("");
        let has_code = head.next() == Some("Computing");
        relations.push(head.next().unwrap_or("").split(", ").collect::<Vec<_>>());
        let subjects = lines.iter().filter_map(|line| subject(line)).collect();
        topics.push(Topic { name, related: Vec::new(), has_code, subjects });
    }
    for (place, names) in relations.iter().enumerate() {
        let related = names.iter().filter_map(|name| topics.iter().position(|topic| topic.name == *name)).collect();
        topics[place].related = related;
    }
    topics
}

fn subject(line: &'static str) -> Option<Subject> {
    let (name, concepts) = line.split_once(": ")?;
    let (language, name) = name.strip_prefix('[').and_then(|name| name.split_once("] ")).unwrap_or(("en", name));
    Some(Subject { language, name, concepts: concepts.split(", ").collect() })
}

fn regions(text: &'static str) -> Vec<Region> {
    let words = |lines: &[&'static str], place: usize| {
        lines.get(place).map(|line| line.split_whitespace().collect()).unwrap_or_default()
    };
    sections(text)
        .map(|(head, lines)| Region {
            languages: head.rsplit(" | ").next().unwrap_or("en").split_whitespace().collect(),
            given: words(&lines, 0),
            family: words(&lines, 1),
        })
        .collect()
}

fn phrases(text: &'static str) -> BTreeMap<(&'static str, &'static str), Vec<&'static str>> {
    sections(text).filter_map(|(head, lines)| Some((head.split_once(" | ")?, lines))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANGUAGES: [&str; 4] = ["en", "de", "fr", "es"];

    #[test]
    fn every_topic_subject_and_region_is_complete() {
        let words = Words::read();
        assert!((14..=20).contains(&words.topics.len()));
        for topic in &words.topics {
            assert!(topic.subjects.len() >= 4, "{}", topic.name);
            assert!((2..=4).contains(&topic.related.len()), "{} names an unknown related topic", topic.name);
            for subject in &topic.subjects {
                assert!((5..=8).contains(&subject.concepts.len()), "{}", subject.name);
                assert!(LANGUAGES.contains(&subject.language), "{}", subject.name);
            }
        }
        for region in &words.regions {
            assert_eq!((region.given.len(), region.family.len()), (20, 20), "{:?}", region.given);
            assert!(region.languages.iter().all(|tag| LANGUAGES.contains(tag)));
        }
    }

    #[test]
    fn every_language_has_the_phrases_that_english_has() {
        let words = Words::read();
        let parts = words.phrases.keys().filter(|(tag, _)| *tag == "en").map(|(_, part)| *part);
        for part in parts.filter(|part| *part != "question computing") {
            for language in LANGUAGES {
                assert!(!words.phrases(language, part).is_empty(), "{language} {part}");
            }
        }
        // What opens a thread has a title.
        for ((_, part), lines) in &words.phrases {
            let opens = matches!(*part, "welcome" | "question" | "question computing" | "discussion");
            assert!(lines.iter().all(|line| line.contains(" # ") == opens), "{part}");
        }
    }

    #[test]
    fn placeholders_are_filled() {
        assert_eq!(filled("{A}:\\n{a} {a}", &[("{a}", "joins"), ("{A}", "Joins")]), "Joins:\njoins joins");
        assert_eq!(capitalised("élan"), "Élan");
        assert_eq!(capitalised(""), "");
    }
}
