//! Who may see what. The one place that decides.
//!
//! Data about a person has a [`Category`]. Whoever looks stands in a [`Relation`] to that person, for the
//! row at hand. [`may_see`] is the whole policy: a table of the two. Values about people are
//! [`Personal`], which nothing opens but [`show`] and [`Permit`]s made here; what comes out is
//! [`Shown`], which GraphQL resolves to the value, or to `null` with the reason noted once.
//!
//! Invariant: a relation is found before the values are read, in batches, and the same way from every
//! path (see `accounts::loaders::Relations`), so that a learner shows the same fields however she is reached.

use crate::{db::stored_enum, ids::AccountId};

mod fields;
pub mod graphql;
mod personal;

pub(crate) use fields::*;
pub use fields::{FIELDS, Field};
pub use graphql::{Redactions, Shown};
pub use personal::{Permit, Personal, Tag, tags};

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer {
    account: Option<AccountId>,
}

impl Viewer {
    /// Somebody who has not signed in.
    pub const ANONYMOUS: Self = Self { account: None };

    /// The holder of an account.
    pub const fn account(id: AccountId) -> Self {
        Self { account: Some(id) }
    }

    /// The viewer's account, if signed in.
    pub const fn id(&self) -> Option<AccountId> {
        self.account
    }

    /// Whether the viewer is this person.
    pub fn is(&self, person: AccountId) -> bool {
        self.account == Some(person)
    }
}

stored_enum! {
    /// What kind of thing a value says about a person.
    pub enum Category {
        /// Name and picture.
        Identity = "IDENTITY",
        /// E-mail address.
        Contact = "CONTACT",
        /// Goals and background.
        Profile = "PROFILE",
        /// Enrolments, progress, time, completions.
        LearningRecord = "LEARNING_RECORD",
        /// What a person wrote in a course's forum.
        Communication = "COMMUNICATION",
        /// What the recommender makes of a learning record.
        Recommendation = "RECOMMENDATION",
    }
}

stored_enum! {
    /// What a viewer is to a person, or to the course whose talk she reads. The closest one counts.
    pub enum Relation {
        /// The viewer is the person.
        Oneself = "ONESELF",
        /// The viewer is an instructor or assistant of the course at hand, or of one that the person takes.
        Staff = "STAFF",
        /// Both take the same course, or the viewer takes the course at hand.
        Classmate = "CLASSMATE",
        /// The person teaches a published course, and stands in the catalogue by name.
        Audience = "AUDIENCE",
        /// None of these.
        Stranger = "STRANGER",
    }
}

/// The policy.
///
/// Staff do not read learning records yet: that waits for the access log, without which nobody could
/// say who looked.
pub const fn may_see(relation: Relation, category: Category) -> bool {
    match category {
        Category::Identity => !matches!(relation, Relation::Stranger),
        Category::Communication => matches!(relation, Relation::Oneself | Relation::Staff | Relation::Classmate),
        Category::Contact | Category::Profile | Category::LearningRecord | Category::Recommendation => {
            matches!(relation, Relation::Oneself)
        }
    }
}

/// The relations that may see a category, closest first.
pub fn audience(category: Category) -> Vec<Relation> {
    Relation::ALL.iter().copied().filter(|relation| may_see(*relation, category)).collect()
}

/// Asks to see a field of somebody. The permit opens the [`Personal`] values of the field's category.
pub const fn permit<C: Tag>(field: &'static Field<C>, relation: Relation) -> Result<Permit<C>, Denied> {
    if may_see(relation, C::CATEGORY) {
        Ok(Permit::granted())
    } else {
        Err(Denied { type_name: field.type_name, name: field.name, category: C::CATEGORY })
    }
}

/// Shows one value, or says that it may not be seen.
pub fn show<C: Tag, T: Clone>(field: &'static Field<C>, relation: Relation, value: &Personal<C, T>) -> Shown<T> {
    match permit(field, relation) {
        Ok(permit) => Shown::Visible(value.open(permit).clone()),
        Err(denied) => Shown::Denied(denied),
    }
}

/// A field that the viewer may not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// The GraphQL type.
    pub type_name: &'static str,
    /// The GraphQL field.
    pub name: &'static str,
    /// What kind of data it is.
    pub category: Category,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_what_the_documentation_says() {
        let mut table = String::new();
        for category in Category::ALL {
            let seen_by: Vec<_> = audience(*category).into_iter().map(Relation::as_str).collect();
            table += &format!("{}: {}\n", category.as_str(), seen_by.join(" "));
        }
        assert_eq!(
            table,
            "IDENTITY: ONESELF STAFF CLASSMATE AUDIENCE\n\
             CONTACT: ONESELF\n\
             PROFILE: ONESELF\n\
             LEARNING_RECORD: ONESELF\n\
             COMMUNICATION: ONESELF STAFF CLASSMATE\n\
             RECOMMENDATION: ONESELF\n"
        );
    }
}
