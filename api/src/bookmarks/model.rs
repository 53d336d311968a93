//! What somebody wants to find again.

use uuid::Uuid;

use crate::{
    access::{Personal, tags},
    db::stored_enum,
    ids::{AccountId, BookmarkId, CourseId},
    time::Timestamp,
};

stored_enum! {
    /// What is bookmarked.
    pub enum BookmarkKind {
        /// A course.
        Course = "COURSE",
        /// A lesson.
        Lesson = "LESSON",
        /// A thread of a forum.
        Thread = "THREAD",
        /// A post in a thread.
        Post = "POST",
    }
}

/// What is bookmarked, by its ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thing {
    /// Of which kind it is.
    pub kind: BookmarkKind,
    /// The course that it belongs to, or that it is.
    pub course_id: CourseId,
    /// Its own id.
    pub id: Uuid,
}

/// Something that somebody wants to find again.
#[derive(Clone, Debug)]
pub struct Bookmark {
    /// The bookmark's id, together with the person's.
    pub id: BookmarkId,
    /// Whose it is.
    pub person_id: AccountId,
    /// What it leads to. Whether she may see that still is asked when she does.
    pub thing: Thing,
    /// What she noted.
    pub note: Personal<tags::Interaction, Option<String>>,
    /// Since when.
    pub created_at: Timestamp,
}
