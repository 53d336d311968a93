//! People and how they are known.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use crate::{
    access::{Personal, Relation, TokenScope, Viewer, tags},
    db::stored_enum,
    ids::{AccountId, CourseId},
    time::Timestamp,
};

/// A person's account.
#[derive(Clone, Debug)]
pub struct Account {
    /// The account's id.
    pub id: AccountId,
    /// The name that others see.
    pub name: Personal<tags::Identity, String>,
    /// The e-mail address; imported learners may have none.
    pub email: Personal<tags::Contact, Option<String>>,
    /// Where her picture is.
    pub picture: Personal<tags::Identity, Option<String>>,
    /// Her educational background, in her own words.
    pub education: Personal<tags::Profile, Option<String>>,
    /// Her time zone, as IANA names it.
    pub time_zone: Personal<tags::Profile, Option<String>>,
    /// Her language, as BCP 47 names it.
    pub language: Personal<tags::Profile, Option<String>>,
}

/// What is needed to make an account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name that others see.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

stored_enum! {
    /// A role by job function, for the whole installation. Being a learner needs none; instructors and
    /// assistants are such for a course (see [`crate::courses::model::StaffRole`]).
    pub enum SystemRole {
        /// Helps people with their accounts.
        Support = "SUPPORT",
        /// Reads aggregates.
        Analyst = "ANALYST",
        /// Runs the system.
        Administrator = "ADMINISTRATOR",
    }
}

impl SystemRole {
    /// What its holder is to everybody.
    pub const fn relation(self) -> Relation {
        match self {
            Self::Support => Relation::Support,
            Self::Analyst => Relation::Analyst,
            Self::Administrator => Relation::Administrator,
        }
    }
}

/// What a person is to a course. One may teach a course and take it, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// Takes it.
    pub learner: bool,
    /// Teaches it, or helps to.
    pub staff: bool,
    /// Keeps order in its forum: its instructors do, assistants don't.
    pub moderator: bool,
}

/// What the database knows of a viewer.
#[derive(Clone, Debug, Default)]
pub struct Involvement {
    /// What she is to each course that she has to do with.
    pub courses: HashMap<CourseId, Membership>,
    /// Her roles by job function.
    pub roles: Vec<SystemRole>,
}

/// A bearer token as its owner holds it; only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(pub(super) String);

impl BearerToken {
    /// The text to send as `Authorization: Bearer …`.
    pub fn secret_text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<token>")
    }
}

/// What is needed to make a token.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is for, to know it again.
    pub label: String,
    /// What it may be used for.
    pub scopes: Vec<TokenScope>,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// Whether it counts as if a second factor had been shown.
    pub two_factor: bool,
}

/// A token as its owner sees it in her list.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// What it is for.
    pub label: String,
    /// What it may be used for.
    pub scopes: Vec<TokenScope>,
    /// Since when.
    pub created_at: Timestamp,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to ten minutes; `None` for not since the ten minutes after it was made.
    pub last_used_at: Option<Timestamp>,
}

/// A token as one that is shown is held against it.
#[derive(Clone, Debug)]
pub(crate) struct HeldToken {
    pub(crate) id: Uuid,
    pub(crate) scopes: Vec<TokenScope>,
    pub(crate) two_factor: bool,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    /// Or made.
    pub(crate) last_used_at: Timestamp,
}

/// Who holds a credential, as she is when it is looked up: all of it comes with that one statement.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) is_suspended: bool,
    pub(crate) account: Arc<Account>,
    pub(crate) involvement: Involvement,
}

/// A viewer, and what was read with her credential. It is true when a request begins, and for no longer than that: a write
/// forgets it with what else was read, and each event of a subscription reads it again.
#[derive(Clone, Debug, Default)]
pub struct Identified {
    /// Who asks.
    pub viewer: Viewer,
    /// `None` for nobody.
    pub(crate) holder: Option<Arc<Holder>>,
}
