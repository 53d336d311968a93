//! What authors may write, piece by piece.

use super::refusal::{Part, Refusal};
use crate::{
    courses::model::{Completion, LessonChange, LessonDraft, LessonKind},
    profile::{self, model::Change},
};

/// The longest title, in characters.
pub(super) const MAX_TITLE: usize = 300;
/// The longest summary, in characters.
pub(super) const MAX_SUMMARY: usize = 5_000;
/// The longest text and the longest transcript of a lesson, in characters.
pub(super) const MAX_BODY: usize = 100_000;
/// The longest address, in bytes.
pub(super) const MAX_URL: usize = 2_000;
/// The longest lesson, in seconds: four weeks.
pub(super) const MAX_SECONDS: i64 = 28 * 86_400;
/// So many topics has a course.
pub(super) const MAX_TOPICS: usize = 10;
/// So many modules has a course, those that are retired included.
pub(super) const MAX_MODULES: usize = 200;
/// So many lessons has a module, those that are retired included.
pub(super) const MAX_LESSONS: usize = 200;
/// So many things can come before one.
pub(super) const MAX_PREREQUISITES: usize = 20;
/// So many people teach a course.
pub(super) const MAX_STAFF: usize = 100;

/// The title without the space around it.
pub(super) fn title(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let fits = (1..=MAX_TITLE).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Refusal::Title) }
}

pub(super) fn summary(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().count() <= MAX_SUMMARY && !text.contains('\0') {
        Ok(text.to_owned())
    } else {
        Err(Refusal::Summary)
    }
}

/// The language's name as it is usually written.
pub(super) fn language(text: &str) -> Result<String, Refusal> {
    let language = profile::language(text.to_owned()).map_err(Refusal::Language)?;
    if language.len() <= 35 { Ok(language) } else { Err(Refusal::Language(language.chars().take(64).collect())) }
}

pub(super) fn slug(text: &str) -> Result<String, Refusal> {
    let well = (1..=200).contains(&text.chars().count())
        && text.chars().all(|letter| letter == '-' || letter.is_alphanumeric())
        && text.to_lowercase() == text
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--");
    if well { Ok(text.to_owned()) } else { Err(Refusal::Slug) }
}

/// Names of topics with their slugs, each once.
pub(super) fn topics(names: &[String]) -> Result<Vec<(String, String)>, Refusal> {
    if names.len() > MAX_TOPICS {
        return Err(Refusal::Topics(names.len()));
    }
    let mut topics: Vec<(String, String)> = Vec::with_capacity(names.len());
    for name in names {
        let (name, slug) = (name.trim(), crate::intake::slug_of(name));
        if slug.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            return Err(Refusal::Topic(name.chars().take(64).collect()));
        }
        if topics.iter().all(|(_, other)| *other != slug) {
            topics.push((name.to_owned(), slug));
        }
    }
    Ok(topics)
}

fn long_text(text: String, refusal: Refusal) -> Result<String, Refusal> {
    if (1..=MAX_BODY).contains(&text.chars().count()) && !text.trim().is_empty() && !text.contains('\0') {
        Ok(text)
    } else {
        Err(refusal)
    }
}

/// An address that a browser may be sent to.
fn address(text: &str) -> Result<String, Refusal> {
    let url = url::Url::parse(text.trim()).map_err(|_| Refusal::Url)?;
    let plain = url.scheme() == "https" && url.has_host() && url.username().is_empty() && url.password().is_none();
    if plain && url.as_str().len() <= MAX_URL { Ok(url.into()) } else { Err(Refusal::Url) }
}

/// Whether a lesson of this kind can have the part.
const fn has(kind: LessonKind, part: Part) -> bool {
    match part {
        Part::Text | Part::Seconds => true,
        Part::Url => matches!(kind, LessonKind::Video | LessonKind::Link),
        Part::Transcript => matches!(kind, LessonKind::Video),
    }
}

fn changed<T>(
    now: &mut Option<T>,
    change: Change<T>,
    (kind, part): (LessonKind, Part),
    fit: impl FnOnce(T) -> Result<T, Refusal>,
) -> Result<(), Refusal> {
    match change {
        Change::Keep => {}
        Change::Clear => *now = None,
        Change::Set(_) if !has(kind, part) => return Err(Refusal::NotOfKind(kind, part)),
        Change::Set(value) => *now = Some(fit(value)?),
    }
    Ok(())
}

/// Makes the change to a draft, if each piece of it can stand.
pub(super) fn change(draft: &mut LessonDraft, kind: LessonKind, change: LessonChange) -> Result<(), Refusal> {
    if let Some(text) = change.title {
        draft.title = title(&text)?;
    }
    changed(&mut draft.seconds, change.seconds, (kind, Part::Seconds), |seconds| {
        if (1..=MAX_SECONDS).contains(&seconds) { Ok(seconds) } else { Err(Refusal::Seconds(seconds)) }
    })?;
    let content = &mut draft.content;
    changed(&mut content.body, change.body, (kind, Part::Text), |text| long_text(text, Refusal::Body))?;
    changed(&mut content.url, change.url, (kind, Part::Url), |text| address(&text))?;
    changed(&mut content.transcript, change.transcript, (kind, Part::Transcript), |text| {
        long_text(text, Refusal::Transcript)
    })?;
    if let Some(completion) = change.completion {
        draft.rule.completion = completion;
        if !takes_share(completion) {
            draft.rule.share = None;
        }
    }
    if change.share.is_made() {
        draft.rule.share = change.share.value().map(millionths).transpose()?;
    }
    if let Some(is_preview) = change.is_preview {
        draft.is_preview = is_preview;
    }
    rule(draft, kind)
}

const fn takes_share(completion: Completion) -> bool {
    matches!(completion, Completion::Time | Completion::Score)
}

fn millionths(share: f64) -> Result<i64, Refusal> {
    let millionths = (share * 1_000_000.0).round();
    if share > 0.0 && (1.0..=1_000_000.0).contains(&millionths) { Ok(millionths as i64) } else { Err(Refusal::Share) }
}

/// Whether the rule for completing it fits the lesson.
fn rule(draft: &LessonDraft, kind: LessonKind) -> Result<(), Refusal> {
    match draft.rule.completion {
        Completion::Time if draft.seconds.is_none() => {
            Err(Refusal::Rule("completion by TIME is of a share of the lesson's length: give it `seconds`"))
        }
        Completion::Score if kind != LessonKind::Exercise => {
            Err(Refusal::Rule("completion by SCORE is for lessons of the kind EXERCISE"))
        }
        completion if draft.rule.share.is_some() && !takes_share(completion) => {
            Err(Refusal::Rule("completionShare goes with completion by TIME or SCORE"))
        }
        _ => Ok(()),
    }
}

/// Whether a draft has all that learners need.
pub(super) fn complete(draft: &LessonDraft, kind: LessonKind) -> Result<(), Refusal> {
    let content = &draft.content;
    let parts = [
        (Part::Url, matches!(kind, LessonKind::Video | LessonKind::Link), content.url.is_some()),
        (Part::Text, matches!(kind, LessonKind::Reading | LessonKind::Exercise), content.body.is_some()),
        (Part::Seconds, matches!(kind, LessonKind::Video), draft.seconds.is_some()),
    ];
    match parts.into_iter().find(|(_, is_needed, is_there)| *is_needed && !is_there) {
        Some((part, ..)) => Err(Refusal::ContentMissing { title: draft.title.clone(), kind, part }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_https_address_is_one() {
        assert_eq!(address(" https://video.example/1 ").as_deref(), Ok("https://video.example/1"));
        for slip in
            ["", "video.example", "http://video.example", "javascript:alert(1)", "https://a:b@c.example", "data:x"]
        {
            assert_eq!(address(slip), Err(Refusal::Url), "{slip}");
        }
    }

    #[test]
    fn slugs_are_small_letters_digits_and_single_hyphens() {
        for well in ["a", "living-soil", "le-sol-2", "ćwiczenia"] {
            assert_eq!(slug(well).as_deref(), Ok(well));
        }
        for slip in ["", "-a", "a-", "a--b", "Living", "a b", "a/b", "a_b"] {
            assert_eq!(slug(slip), Err(Refusal::Slug), "{slip}");
        }
    }

    #[test]
    fn a_share_is_more_than_nothing_and_at_most_all() {
        assert_eq!(millionths(0.8), Ok(800_000));
        assert_eq!(millionths(1.0), Ok(1_000_000));
        for slip in [0.0, -0.1, 1.1, 0.000_000_1, f64::NAN, f64::INFINITY] {
            assert_eq!(millionths(slip), Err(Refusal::Share), "{slip}");
        }
    }
}
