//! The talk of a course.

use crate::{
    access::{Personal, tags},
    db::stored_enum,
    ids::{AccountId, CategoryId, CourseId, PostId, ThreadId},
    time::Timestamp,
};

stored_enum! {
    /// What a thread is for.
    pub enum ThreadKind {
        /// To talk.
        Discussion = "DISCUSSION",
        /// To get an answer.
        Question = "QUESTION",
    }
}

/// A part of a course's forum.
#[derive(Clone, Debug)]
pub struct ForumCategory {
    /// The category's id, together with the course's.
    pub id: CategoryId,
    /// The course it belongs to.
    pub course_id: CourseId,
    /// Its name.
    pub name: String,
}

/// A thread.
#[derive(Clone, Debug)]
pub struct Thread {
    /// The thread's id, together with the course's.
    pub id: ThreadId,
    /// The course it belongs to.
    pub course_id: CourseId,
    /// The category it is in.
    pub category_id: CategoryId,
    /// Who began it.
    pub author_id: AccountId,
    /// What it is for.
    pub kind: ThreadKind,
    /// What it is about.
    pub title: Personal<tags::Communication, String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// How many posts it has, the first included.
    pub post_count: i64,
}

/// A post in a thread. The first one opens it.
#[derive(Clone, Debug)]
pub struct Post {
    /// The post's id, together with the course's.
    pub id: PostId,
    /// The course it belongs to.
    pub course_id: CourseId,
    /// The thread it belongs to.
    pub thread_id: ThreadId,
    /// Who wrote it.
    pub author_id: AccountId,
    /// The post that it answers.
    pub reply_to: Option<PostId>,
    /// What it says, in Markdown.
    pub body: Personal<tags::Communication, String>,
    /// When it was written.
    pub created_at: Timestamp,
}

/// What is needed to begin a thread.
#[derive(Clone, Debug)]
pub struct NewThread {
    /// The category; `None` for the course's first.
    pub category_id: Option<CategoryId>,
    /// What it is for.
    pub kind: ThreadKind,
    /// What it is about.
    pub title: String,
    /// The first post.
    pub body: String,
}

/// What is needed to answer.
#[derive(Clone, Debug)]
pub struct NewPost {
    /// The post that it answers; `None` for the thread as a whole.
    pub reply_to: Option<PostId>,
    /// What it says, in Markdown.
    pub body: String,
}
