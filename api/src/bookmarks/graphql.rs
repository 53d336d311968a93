//! Bookmarks, in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, SimpleObject, Union};
use stoa_macros::Object;

use super::{
    Refusal,
    model::{self, BookmarkKind, Thing},
};
use crate::{
    access::{
        self, Anywhere, BOOKMARK_NOTE, Category, PERSON_BOOKMARKS, Permit, Shown, Standing, TokenScope, graphql::About,
        tags,
    },
    courses::graphql::{Course, Lesson},
    db::page::TimeKey,
    forum::graphql::{Post, Thread},
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError, UserErrorCode},
        node::{self, Node, NodeId},
        scalars::DateTime,
        scope::{Scope, scope},
    },
    ids::{AccountId, BookmarkId, LessonId, PostId, ThreadId},
};

/// The name of the list for cursors.
const BOOKMARKS: &str = "bookmarks";

/// What can be bookmarked.
#[derive(Union)]
pub(crate) enum Bookmarked {
    /// A course.
    Course(Course),
    /// A lesson.
    Lesson(Lesson),
    /// A thread.
    Thread(Thread),
    /// A post.
    Post(Post),
}

impl Bookmarked {
    /// The thing, if the viewer may see it: the same question as from every other path.
    async fn find(scope: &Scope, thing: Thing) -> Result<Option<Self>, Fault> {
        let id = match thing.kind {
            BookmarkKind::Course => NodeId::Course(thing.course_id),
            BookmarkKind::Lesson => NodeId::Lesson(LessonId(thing.id)),
            BookmarkKind::Thread => NodeId::Thread(thing.course_id, ThreadId(thing.id)),
            BookmarkKind::Post => NodeId::Post(thing.course_id, PostId(thing.id)),
        };
        Ok(match node::find(scope, id).await? {
            Some(Node::Course(course)) => Some(Self::Course(course)),
            Some(Node::Lesson(lesson)) => Some(Self::Lesson(lesson)),
            Some(Node::Thread(thread)) => Some(Self::Thread(thread)),
            Some(Node::Post(post)) => Some(Self::Post(post)),
            _ => None,
        })
    }
}

/// Something that somebody wants to find again.
#[derive(Clone)]
pub(crate) struct Bookmark {
    row: Arc<model::Bookmark>,
    standing: Standing<Anywhere>,
}

impl Bookmark {
    /// The bookmark, if the viewer may see the person's.
    pub(crate) async fn find(scope: &Scope, person: AccountId, id: BookmarkId) -> Result<Option<Self>, Fault> {
        let load = scope.load();
        let standing = load.relations.get(person).await?.0;
        if !standing.looks_at(Category::Interaction) {
            return Ok(None);
        }
        Ok(load.bookmarks.get((person, id)).await?.map(|row| Self { row, standing }))
    }

    async fn list(
        scope: &Scope,
        (person, standing): (AccountId, &Standing<Anywhere>),
        paging: &Paging,
        permit: Permit<tags::Interaction>,
    ) -> Result<Pages<Self>, Fault> {
        let request = paging.request(scope, BOOKMARKS)?;
        let page = scope.load().bookmark_pages.get((person, request)).await?;
        let key = |row: &Arc<model::Bookmark>| -> TimeKey { (row.created_at.0, row.id.0) };
        connection(scope, BOOKMARKS, page.open(permit), key, |row| Self {
            row: Arc::clone(row),
            standing: standing.clone(),
        })
    }
}

/// Something that somebody wants to find again.
#[Object]
impl Bookmark {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Bookmark(self.row.person_id, self.row.id).encode()
    }

    /// What it leads to; null if that is not there any more, or not for you.
    async fn thing(&self, ctx: &Context<'_>) -> Option<Result<Bookmarked, Fault>> {
        Bookmarked::find(scope(ctx), self.row.thing).await.transpose()
    }

    /// What she noted; null also where she noted nothing.
    #[graphql(directive = About::apply(&BOOKMARK_NOTE))]
    async fn note(&self) -> Shown<Option<String>> {
        access::show(&BOOKMARK_NOTE, &self.standing, &self.row.note)
    }

    /// Since when.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// Somebody who has bookmarks.
pub(crate) struct Reader {
    pub(crate) person: AccountId,
    pub(crate) standing: Standing<Anywhere>,
}

/// Somebody who has bookmarks.
#[Object]
impl Reader {
    /// What she wants to find again, the latest first.
    #[graphql(directive = About::apply(&PERSON_BOOKMARKS))]
    async fn bookmarks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<Bookmark>> {
        let paging = Paging { first, after, last, before };
        match access::permit(&PERSON_BOOKMARKS, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Bookmark::list(scope(ctx), (self.person, &self.standing), &paging, permit).await.into(),
        }
    }
}

/// Something to be found again.
#[derive(Debug, InputObject)]
pub(crate) struct AddBookmarkInput {
    /// The global id of a course, a lesson, a thread or a post.
    thing_id: ID,
    /// What you want to note, at most 2,000 characters. Nobody else reads it, but for support under a case that you are told of.
    note: Option<String>,
}

/// A bookmark's note.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateBookmarkInput {
    /// The global id of the bookmark.
    bookmark_id: ID,
    /// What you want to note, at most 2,000 characters; left out, nothing.
    note: Option<String>,
}

/// A bookmark to be removed.
#[derive(Debug, InputObject)]
pub(crate) struct RemoveBookmarkInput {
    /// The global id of the bookmark.
    bookmark_id: ID,
}

/// What became of `addBookmark` or `updateBookmark`.
#[derive(SimpleObject)]
pub(crate) struct BookmarkPayload {
    /// The bookmark; null if there were errors.
    bookmark: Option<Bookmark>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

/// What became of `removeBookmark`.
#[derive(SimpleObject)]
pub(crate) struct RemoveBookmarkPayload {
    /// The global id of the bookmark that is gone; null if there were errors.
    removed_id: Option<ID>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

fn user_error(refusal: Refusal) -> UserError {
    let (code, field) = match refusal {
        Refusal::NoSuchThing => (UserErrorCode::NotFound, "thingId"),
        Refusal::NoSuchBookmark => (UserErrorCode::NotFound, "bookmarkId"),
        Refusal::Note(_) => (UserErrorCode::Length, "note"),
        Refusal::TooMany => (UserErrorCode::TooMany, "thingId"),
    };
    UserError::new(code, &["input", field], &refusal)
}

fn refused(refusal: Refusal) -> BookmarkPayload {
    BookmarkPayload { bookmark: None, user_errors: vec![user_error(refusal)] }
}

/// The ids of what is to be bookmarked, if the viewer may see it.
async fn thing(scope: &Scope, id: &ID) -> Result<Result<Thing, Refusal>, Fault> {
    let id = NodeId::decode(id)?;
    let thing = match id {
        NodeId::Course(course_id) => Thing { kind: BookmarkKind::Course, course_id, id: course_id.0 },
        NodeId::Lesson(lesson) => match scope.load().lessons.get(lesson).await? {
            Some(found) => Thing { kind: BookmarkKind::Lesson, course_id: found.course_id, id: lesson.0 },
            None => return Ok(Err(Refusal::NoSuchThing)),
        },
        NodeId::Thread(course_id, thread) => Thing { kind: BookmarkKind::Thread, course_id, id: thread.0 },
        NodeId::Post(course_id, post) => Thing { kind: BookmarkKind::Post, course_id, id: post.0 },
        _ => return Err(Fault::bad_input("`thingId` is the id of a course, a lesson, a thread or a post")),
    };
    Ok(if Bookmarked::find(scope, thing).await?.is_some() { Ok(thing) } else { Err(Refusal::NoSuchThing) })
}

/// Keeping bookmarks.
#[derive(Default)]
pub(crate) struct BookmarkMutation;

/// Keeping bookmarks.
#[async_graphql::Object]
impl BookmarkMutation {
    /// Bookmarks something. What you have bookmarked already stays as it is, with its note.
    async fn add_bookmark(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and a note.")] input: AddBookmarkInput,
    ) -> Result<BookmarkPayload, Fault> {
        let scope = scope(ctx);
        let person = scope.account_for(TokenScope::Write)?;
        let thing = match thing(scope, &input.thing_id).await? {
            Ok(thing) => thing,
            Err(refusal) => return Ok(refused(refusal)),
        };
        Ok(match scope.app.bookmarks.add(person, thing, input.note.as_deref()).await? {
            Err(refusal) => refused(refusal),
            Ok(id) => {
                scope.forget();
                BookmarkPayload { bookmark: Bookmark::find(scope, person, id).await?, user_errors: Vec::new() }
            }
        })
    }

    /// Writes another note on a bookmark of yours, or takes it off.
    async fn update_bookmark(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and the note.")] input: UpdateBookmarkInput,
    ) -> Result<BookmarkPayload, Fault> {
        let scope = scope(ctx);
        let person = scope.account_for(TokenScope::Write)?;
        let (owner, id) = node::bookmark_id(&input.bookmark_id)?;
        if owner != person {
            return Ok(refused(Refusal::NoSuchBookmark));
        }
        if let Err(refusal) = scope.app.bookmarks.note((person, id), input.note.as_deref()).await? {
            return Ok(refused(refusal));
        }
        scope.forget();
        Ok(BookmarkPayload { bookmark: Bookmark::find(scope, person, id).await?, user_errors: Vec::new() })
    }

    /// Removes a bookmark of yours. Doing it again changes nothing.
    async fn remove_bookmark(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RemoveBookmarkInput,
    ) -> Result<RemoveBookmarkPayload, Fault> {
        let scope = scope(ctx);
        let person = scope.account_for(TokenScope::Write)?;
        let (owner, id) = node::bookmark_id(&input.bookmark_id)?;
        if owner != person {
            let user_errors = vec![user_error(Refusal::NoSuchBookmark)];
            return Ok(RemoveBookmarkPayload { removed_id: None, user_errors });
        }
        scope.app.bookmarks.remove((person, id)).await?;
        scope.forget();
        Ok(RemoveBookmarkPayload { removed_id: Some(input.bookmark_id), user_errors: Vec::new() })
    }
}
