//! Profiles in the graph.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, SimpleObject};
use stoa_macros::Object;

use super::{
    Refusal,
    model::{self, Change, ProfileChange},
};
use crate::{
    access::TokenScope,
    accounts::graphql::Person,
    courses::graphql::{Course, Lesson},
    graphql::{
        errors::{Fault, UserError, UserErrorCode},
        node::topic_id,
        scalars::{DateTime, int},
        scope::scope,
    },
    progress::model as progress,
};

/// How somebody wants the interface.
#[derive(SimpleObject)]
pub(crate) struct Preferences {
    /// The language of the interface, as BCP 47 names it; null leaves it to the interface.
    language: Option<String>,
    /// How quickly videos are played, 0.25 to 4; 1 is as they were made. Null leaves it to the player.
    playback_speed: Option<f64>,
}

impl From<model::Preferences> for Preferences {
    fn from(preferences: model::Preferences) -> Self {
        let playback_speed = preferences.playback_speed.map(|hundredths| hundredths as f64 / 100.0);
        Self { language: preferences.language, playback_speed }
    }
}

/// Where somebody left off.
pub(crate) struct LeftOff(pub(crate) progress::LeftOff);

/// Where somebody left off.
#[Object]
impl LeftOff {
    /// The lesson; null while it, or its course, is a draft again.
    async fn lesson(&self, ctx: &Context<'_>) -> Option<Result<Lesson, Fault>> {
        Lesson::find(scope(ctx), self.0.lesson_id).await.transpose()
    }

    /// The course that it belongs to.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.0.course_id).await.transpose()
    }

    /// Where in the lesson, in seconds from its start.
    async fn position(&self) -> i32 {
        int(self.0.position)
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }
}

/// What to change of your preferences. What is left out stays; null clears.
#[derive(InputObject)]
pub(crate) struct PreferencesInput {
    /// The language of the interface, as BCP 47 names it.
    language: MaybeUndefined<String>,
    /// How quickly videos are played, 0.25 to 4.
    playback_speed: MaybeUndefined<f64>,
}

/// What to change of your profile. What is left out stays; null clears.
#[derive(InputObject)]
pub(crate) struct UpdateProfileInput {
    /// The name that others see, 1 to 200 characters. It can't be cleared.
    name: MaybeUndefined<String>,
    /// Where your picture is: an `https` address of at most 2000 characters.
    picture: MaybeUndefined<String>,
    /// Your educational background in your own words, at most 500 characters.
    education: MaybeUndefined<String>,
    /// Your time zone as IANA names it, such as `Europe/Lisbon`.
    time_zone: MaybeUndefined<String>,
    /// Your language as BCP 47 names it, such as `pt` or `zh-Hant-TW`.
    language: MaybeUndefined<String>,
    /// The global ids of the topics that you want to learn about, at most 50, in place of those before.
    goals: MaybeUndefined<Vec<ID>>,
    /// How you want the interface.
    preferences: MaybeUndefined<PreferencesInput>,
}

impl UpdateProfileInput {
    fn read(self) -> Result<ProfileChange, Fault> {
        let preferences = match self.preferences {
            MaybeUndefined::Undefined => (Change::Keep, Change::Keep),
            MaybeUndefined::Null => (Change::Clear, Change::Clear),
            MaybeUndefined::Value(preferences) => (preferences.language.into(), preferences.playback_speed.into()),
        };
        Ok(ProfileChange {
            name: self.name.into(),
            picture: self.picture.into(),
            education: self.education.into(),
            time_zone: self.time_zone.into(),
            language: self.language.into(),
            goals: Change::from(self.goals).try_map(|goals| goals.iter().map(topic_id).collect())?,
            interface_language: preferences.0,
            playback_speed: preferences.1,
        })
    }
}

impl<T> From<MaybeUndefined<T>> for Change<T> {
    fn from(input: MaybeUndefined<T>) -> Self {
        match input {
            MaybeUndefined::Undefined => Self::Keep,
            MaybeUndefined::Null => Self::Clear,
            MaybeUndefined::Value(value) => Self::Set(value),
        }
    }
}

/// What became of `updateProfile`.
#[derive(SimpleObject)]
pub(crate) struct UpdateProfilePayload {
    /// You, with the changes made; null if there were errors: then nothing was changed.
    person: Option<Person>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

fn user_error(refusal: &Refusal) -> UserError {
    let place;
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::Name => (UserErrorCode::Length, &["input", "name"]),
        Refusal::Picture => (UserErrorCode::Malformed, &["input", "picture"]),
        Refusal::Education => (UserErrorCode::Length, &["input", "education"]),
        Refusal::TimeZone(_) => (UserErrorCode::Malformed, &["input", "timeZone"]),
        Refusal::Language(_) => (UserErrorCode::Malformed, &["input", "language"]),
        Refusal::InterfaceLanguage(_) => (UserErrorCode::Malformed, &["input", "preferences", "language"]),
        Refusal::TooManyGoals(_) => (UserErrorCode::OutOfRange, &["input", "goals"]),
        Refusal::NoSuchTopic(at) => {
            place = at.to_string();
            (UserErrorCode::NotFound, &["input", "goals", &place])
        }
        Refusal::PlaybackSpeed(_) => (UserErrorCode::OutOfRange, &["input", "preferences", "playbackSpeed"]),
    };
    UserError::new(code, path, refusal)
}

/// Changing a profile.
#[derive(Default)]
pub(crate) struct ProfileMutation;

/// Changing a profile.
#[async_graphql::Object]
impl ProfileMutation {
    /// Changes what you say of yourself: everything that the input names, or nothing.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateProfileInput,
    ) -> Result<UpdateProfilePayload, Fault> {
        let scope = scope(ctx);
        let account = scope.account_for(TokenScope::Account)?;
        if let Err(refusals) = scope.app.profiles.update(account, input.read()?).await? {
            return Ok(UpdateProfilePayload { person: None, user_errors: refusals.iter().map(user_error).collect() });
        }
        scope.forget();
        Ok(UpdateProfilePayload { person: Person::load(scope, account).await?, user_errors: Vec::new() })
    }
}
