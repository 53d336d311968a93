//! What a person says of herself: name, picture, background, goals, and how she wants the interface.

pub(crate) mod graphql;
pub(crate) mod loaders;
pub mod model;
pub(crate) mod store;

use std::{collections::HashSet, sync::LazyLock};

use icu_locale_core::LanguageIdentifier;
use jiff::tz::TimeZoneDatabase;
use url::Url;

use crate::{
    accounts, courses,
    db::{Db, DbError},
    ids::{AccountId, TopicId},
    live::{self, model::Event},
    time::Clock,
};
use model::{Change, ProfileChange};
use store::Columns;

/// How long the address of a picture may be, in characters.
const MAX_PICTURE: usize = 2_000;
/// How long an educational background may be, in characters.
const MAX_EDUCATION: usize = 500;
/// How many goals somebody may have.
const MAX_GOALS: usize = 50;
/// How quickly videos may be played, in hundredths.
const SPEEDS: std::ops::RangeInclusive<i64> = 25..=400;

/// The time zones that are known: those of this program, so that every server knows the same.
static TIME_ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The service of profiles.
#[derive(Clone, Debug)]
pub struct Profiles {
    db: Db,
    clock: Clock,
}

/// Why a profile was not changed: what a person can mend.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Empty, cleared or too long.
    #[error("{}", accounts::NAME_RULE)]
    Name,
    /// No address of a picture.
    #[error("a picture's address begins with https://, names no user, and has at most {MAX_PICTURE} characters")]
    Picture,
    /// Empty or too long.
    #[error("an educational background has 1 to {MAX_EDUCATION} characters; null clears it")]
    Education,
    /// Not a time zone.
    #[error("{0:?} is not a time zone that is known here: use a name like Europe/Lisbon")]
    TimeZone(String),
    /// Not a language.
    #[error("{0:?} is not a language as BCP 47 names it: use a name like pt or zh-Hant-TW")]
    Language(String),
    /// The interface's is not a language.
    #[error("{0:?} is not a language as BCP 47 names it: use a name like pt or zh-Hant-TW")]
    InterfaceLanguage(String),
    /// There are too many.
    #[error("there may be at most {MAX_GOALS} goals; these were {0}")]
    TooManyGoals(usize),
    /// The one at this place is no topic.
    #[error("there is no such topic")]
    NoSuchTopic(usize),
    /// Too slow or too quick.
    #[error("the playback speed must be between 0.25 and 4; this was {0}")]
    PlaybackSpeed(f64),
}

impl Profiles {
    /// The service.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Changes a profile: everything, or nothing and what is wrong with it.
    pub async fn update(&self, account: AccountId, change: ProfileChange) -> Result<Result<(), Vec<Refusal>>, DbError> {
        let mut refusals = Vec::new();
        let mut take = |refusal| refusals.push(refusal);
        let columns = Columns {
            name: fit(change.name, |text| name(&text), &mut take),
            picture: fit(change.picture, |text| picture(&text), &mut take),
            education: fit(change.education, |text| education(&text), &mut take),
            time_zone: fit(change.time_zone, |text| time_zone(text).map_err(Refusal::TimeZone), &mut take),
            language: fit(change.language, |text| language(text).map_err(Refusal::Language), &mut take),
        };
        if columns.name == Change::Clear {
            take(Refusal::Name);
        }
        let interface_language =
            fit(change.interface_language, |text| language(text).map_err(Refusal::InterfaceLanguage), &mut take);
        let playback_speed = fit(change.playback_speed, playback_speed, &mut take);
        let goals = match change.goals {
            Change::Keep => None,
            Change::Clear => Some(Vec::new()),
            Change::Set(goals) => {
                self.unfit_goals(account, &goals).await?.into_iter().for_each(take);
                Some(goals)
            }
        };
        if !refusals.is_empty() {
            return Ok(Err(refusals));
        }
        let mut tx = self.db.begin().await?;
        store::update_account(&mut tx, account, columns).await?;
        if interface_language.is_made() || playback_speed.is_made() {
            store::update_preferences(&mut tx, account, interface_language, playback_speed).await?;
        }
        if let Some(goals) = goals {
            store::replace_goals(&mut tx, account, &goals, self.clock.now()).await?;
            live::announce(&mut tx, &Event::RecommendationsChanged { learner: account });
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// What is wrong with these goals. A topic that nothing public is about is not there, unless it is a goal already.
    async fn unfit_goals(&self, account: AccountId, goals: &[TopicId]) -> Result<Vec<Refusal>, DbError> {
        if goals.len() > MAX_GOALS {
            return Ok(vec![Refusal::TooManyGoals(goals.len())]);
        }
        let public = courses::store::public_topics_by_ids(&self.db, goals).await?;
        let before = accounts::store::goals(&self.db, &[account]).await?;
        let known: HashSet<_> =
            public.iter().map(|topic| topic.id).chain(before.into_iter().map(|(_, topic)| topic)).collect();
        let unknown = goals.iter().enumerate().filter(|(_, goal)| !known.contains(goal));
        Ok(unknown.map(|(at, _)| Refusal::NoSuchTopic(at)).collect())
    }
}

/// What fits of a change; what does not is told.
fn fit<T, U>(change: Change<T>, f: impl FnOnce(T) -> Result<U, Refusal>, tell: &mut impl FnMut(Refusal)) -> Change<U> {
    change.try_map(f).unwrap_or_else(|refusal| {
        tell(refusal);
        Change::Keep
    })
}

fn name(text: &str) -> Result<String, Refusal> {
    accounts::fit_name(text).map(str::to_owned).ok_or(Refusal::Name)
}

/// Pages show it to others, so it must be what a browser loads without a warning, and must not carry a password.
fn picture(text: &str) -> Result<String, Refusal> {
    let url = Url::parse(text.trim()).map_err(|_| Refusal::Picture)?;
    let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    if plain && url.as_str().len() <= MAX_PICTURE { Ok(url.into()) } else { Err(Refusal::Picture) }
}

fn education(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if (1..=MAX_EDUCATION).contains(&text.chars().count()) { Ok(text.to_owned()) } else { Err(Refusal::Education) }
}

/// The zone's name as it is usually written.
fn time_zone(text: String) -> Result<String, String> {
    let zone = TIME_ZONES.get(text.trim()).ok();
    zone.and_then(|zone| zone.iana_name().map(str::to_owned)).ok_or_else(|| shortened(text))
}

/// The language's name as it is usually written.
pub(crate) fn language(text: String) -> Result<String, String> {
    match text.trim().parse::<LanguageIdentifier>() {
        Ok(language) if !language.is_unknown() => Ok(language.to_string()),
        _ => Err(shortened(text)),
    }
}

fn playback_speed(speed: f64) -> Result<i64, Refusal> {
    let hundredths = (speed * 100.0).round() as i64;
    if SPEEDS.contains(&hundredths) { Ok(hundredths) } else { Err(Refusal::PlaybackSpeed(speed)) }
}

fn shortened(text: String) -> String {
    if text.chars().count() <= 64 { text } else { text.chars().take(64).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_and_languages_are_known_and_written_as_usual() {
        assert_eq!(time_zone(" europe/lisbon ".to_owned()).as_deref(), Ok("Europe/Lisbon"));
        assert_eq!(time_zone("UTC".to_owned()).as_deref(), Ok("UTC"));
        for slip in ["", "Lisbon", "Europe/Atlantis", "../etc/passwd", "+01:00"] {
            assert_eq!(time_zone(slip.to_owned()), Err(slip.to_owned()));
        }
        for (text, usual) in [("PT-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("gsw", "gsw")] {
            assert_eq!(language(text.to_owned()).as_deref(), Ok(usual));
        }
        for slip in ["", "und", "p", "Portuguese!", "pt_"] {
            assert_eq!(language(slip.to_owned()), Err(slip.to_owned()));
        }
        assert_eq!(language("x".repeat(100)).unwrap_err().chars().count(), 65);
    }

    #[test]
    fn only_a_plain_https_address_is_one_of_a_picture() {
        assert_eq!(picture("https://example.org/mei.png").as_deref(), Ok("https://example.org/mei.png"));
        let long = format!("https://example.org/{}", "x".repeat(MAX_PICTURE));
        for address in
            ["", "mei.png", "http://example.org/a", "data:image/png,x", "javascript:1", "https://a:b@c/d", &long]
        {
            assert_eq!(picture(address), Err(Refusal::Picture), "{address}");
        }
    }

    #[test]
    fn speeds_are_between_a_quarter_and_four() {
        assert_eq!(playback_speed(1.25), Ok(125));
        for speed in [0.0, 0.24, 4.01, f64::INFINITY, -1.0] {
            assert_eq!(playback_speed(speed), Err(Refusal::PlaybackSpeed(speed)));
        }
    }
}
