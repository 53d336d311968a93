//! The modules and lessons of a course.

use super::{
    draw::Draw,
    words::{Words, capitalised, filled},
};
use crate::courses::model::LessonKind;

/// A part of a course, about one concept.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) title: String,
    pub(super) concept: &'static str,
}

/// A part of a module.
#[derive(Debug)]
pub(super) struct Lesson {
    /// The place of its module.
    pub(super) module: usize,
    pub(super) title: String,
    pub(super) kind: LessonKind,
    /// Its length in seconds; some links have none.
    pub(super) seconds: Option<i64>,
}

/// Writes the lessons of a course.
pub(super) struct Writer<'a> {
    pub(super) words: &'a Words,
    pub(super) language: &'static str,
    pub(super) concepts: &'a [&'static str],
    /// With which concept it begins, so that the courses of a chain differ.
    pub(super) shift: usize,
}

impl Writer<'_> {
    pub(super) fn write(&self, draw: &mut Draw) -> (Vec<Module>, Vec<Lesson>) {
        let wanted = [2, 2, 3, 3, 3, 3, 4, 4, 5, 6][draw.below(10)];
        let concepts: Vec<&'static str> =
            self.concepts.iter().copied().cycle().skip(self.shift).take(self.concepts.len().min(wanted)).collect();
        let mut lessons = Vec::new();
        for (module, concept) in concepts.iter().enumerate() {
            self.write_module(draw, module, module + 1 == concepts.len(), concept, &mut lessons);
        }
        let modules = concepts.into_iter().map(|concept| Module { title: capitalised(concept), concept });
        (modules.collect(), lessons)
    }

    fn write_module(&self, draw: &mut Draw, module: usize, last: bool, concept: &str, lessons: &mut Vec<Lesson>) {
        let count = [2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 8][draw.below(12)];
        let first = lessons.len();
        for place in 0..count {
            let (kind, part) = match (module, place) {
                (0, 0) => (LessonKind::Video, "first lesson"),
                _ if place + 1 == count && last => (LessonKind::Exercise, "last lesson"),
                _ if place + 1 == count && draw.chance(0.6) => (LessonKind::Exercise, "exercise"),
                _ => match draw.below(20) {
                    0..=9 => (LessonKind::Video, "video"),
                    10..=14 => (LessonKind::Reading, "reading"),
                    15..=17 => (LessonKind::Exercise, "exercise"),
                    _ => (LessonKind::Link, "link"),
                },
            };
            let title = self.title(draw, part, concept, &lessons[first..]);
            lessons.push(Lesson { module, title, kind, seconds: length(draw, kind) });
        }
    }

    /// Another title than those of the lessons before it in the module.
    fn title(&self, draw: &mut Draw, part: &str, concept: &str, before: &[Lesson]) -> String {
        let phrases = self.words.phrases(self.language, part);
        let values = [("{a}", concept), ("{A}", &capitalised(concept))];
        let start = draw.below(phrases.len());
        let titles: Vec<String> =
            (0..phrases.len()).map(|turn| filled(phrases[(start + turn) % phrases.len()], &values)).collect();
        let taken = |title: &str| before.iter().any(|lesson| lesson.title == title);
        // Where all phrases are used up, lessons are numbered.
        let numbered = (2..).map(|number| format!("{} ({number})", titles.first().map_or(concept, String::as_str)));
        let mut candidates = titles.iter().cloned().chain(numbered);
        candidates.find(|title| !taken(title)).unwrap_or_default()
    }
}

/// A lesson's length in seconds, in steps of ten.
fn length(draw: &mut Draw, kind: LessonKind) -> Option<i64> {
    let tens = match kind {
        LessonKind::Video => 15 + draw.whole(0, 30) + draw.whole(0, 50),
        LessonKind::Reading => 12 + draw.whole(0, 60),
        LessonKind::Exercise => 40 + draw.whole(0, 80) + draw.whole(0, 120),
        LessonKind::Link if draw.chance(0.6) => return None,
        LessonKind::Link => draw.whole(12, 90),
    };
    Some(tens * 10)
}
