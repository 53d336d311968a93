//! What a person says of herself: plain types.

use crate::ids::TopicId;

/// What becomes of a part of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It is cleared.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Change<T> {
    /// Whether it does not stay.
    pub const fn is_made(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    /// The new value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    /// The same with another value, or why there is none.
    pub(crate) fn try_map<U, E>(self, f: impl FnOnce(T) -> Result<U, E>) -> Result<Change<U>, E> {
        Ok(match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(f(value)?),
        })
    }
}

/// Changes to a profile, made all together or not at all.
#[derive(Clone, Default)]
pub struct ProfileChange {
    /// The name that others see. It can't be cleared.
    pub name: Change<String>,
    /// Where her picture is, an `https` address.
    pub picture: Change<String>,
    /// Her educational background, in her own words.
    pub education: Change<String>,
    /// Her time zone, as IANA names it.
    pub time_zone: Change<String>,
    /// Her language, as BCP 47 names it.
    pub language: Change<String>,
    /// The topics that she wants to learn about, in place of those before.
    pub goals: Change<Vec<TopicId>>,
    /// The language that she wants the interface in.
    pub interface_language: Change<String>,
    /// How quickly videos are played; 1 is as they were made.
    pub playback_speed: Change<f64>,
}

/// How she wants the interface. `None` leaves it to the interface.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    /// Its language, as BCP 47 names it.
    pub language: Option<String>,
    /// How quickly videos are played, in hundredths.
    pub playback_speed: Option<i64>,
}
