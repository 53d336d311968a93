//! The identifiers of everything that Stoa stores: one type each, so that a course can't be taken for a lesson.
//!
//! New rows get time-ordered ids (UUID version 7), so that what was made together lies together.
//! Rows that come from outside get an id derived from their key there (version 5): importing the
//! same file twice finds the same rows.

use uuid::Uuid;

/// The name space of ids derived from keys of other systems. Fixed for ever.
const IMPORTED: Uuid = Uuid::from_u128(0x5b1d_3a52_7c0e_4f7a_9d57_0a6e_57a0_57a0);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type, serde::Serialize, serde::Deserialize)]
        #[sqlx(transparent)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// A person's account. Everything about the person is found by it.
    AccountId,
    /// A course of the catalogue.
    CourseId,
    /// A module: a part of a course.
    ModuleId,
    /// A lesson: a part of a module.
    LessonId,
    /// A topic that courses are about.
    TopicId,
    /// A category of a course's forum.
    CategoryId,
    /// A thread of a course's forum; found together with its course.
    ThreadId,
    /// A post in a thread; found together with its course.
    PostId,
    /// What a post said before an edit; found together with the post.
    RevisionId,
    /// A trained model of the recommender.
    ModelId,
    /// A list of next courses, as it was given to a learner; found together with her.
    ListId,
    /// A case: a reason to see more of a person, for a time.
    CaseId,
    /// A cohort: learners who take a course together; found together with the course.
    CohortId,
    /// An invitation to a course; found together with it.
    InvitationId,
    /// A review of a course; found together with it. Not its author's id, since reviews are for everybody.
    ReviewId,
    /// A report to a forum's moderators; found together with the course.
    ReportId,
    /// A conversation between a learner and staff; found together with the course.
    ConversationId,
    /// A message in a conversation; found together with the course.
    MessageId,
    /// An announcement to a course's learners; found together with the course.
    AnnouncementId,
    /// A notification; found together with whom it is for.
    NotificationId,
}

macro_rules! imported {
    ($($name:ident = $kind:literal),+ $(,)?) => {$(
        impl $name {
            /// The id of what another system (`source`) knows by `key`.
            pub fn imported(source: &str, key: &str) -> Self {
                Self(Uuid::new_v5(&IMPORTED, format!("{}\0{source}\0{key}", $kind).as_bytes()))
            }
        }
    )+};
}

// Not people: whoever knows somebody's key elsewhere must not find her by it (see `Accounts::imported`).
imported! {
    CourseId = "course",
    ModuleId = "module",
    LessonId = "lesson",
    TopicId = "topic",
    CategoryId = "category",
    ThreadId = "thread",
    PostId = "post",
    ReportId = "report",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_imported_things_never_change() {
        let id = CourseId::imported("school", "soil").0.to_string();
        assert_eq!(id, "8fcebeb1-1f0f-5dde-82fb-c41a15a9aa0d");
        assert_ne!(CourseId::imported("school", "soil").0, LessonId::imported("school", "soil").0);
        assert_ne!(CourseId::imported("school", "soil"), CourseId::imported("other", "soil"));
    }
}
