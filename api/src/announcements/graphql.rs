//! Announcements in the graph.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::{
    Refusal,
    model::{self, AnnouncementChange, NewAnnouncement, Publication},
};
use crate::{
    access::{
        self, ANNOUNCEMENT_BODY, ANNOUNCEMENT_BODY_HTML, ANNOUNCEMENT_TITLE, COURSE_ANNOUNCEMENTS, InCourse, Permit,
        Shown, Standing, TokenScope, graphql::About, permit, tags,
    },
    accounts::graphql::Person,
    courses::{graphql::Course, model as catalogue},
    db::page::TimeKey,
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError, UserErrorCode},
        node::{self, NodeId},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    idempotency::KeyRefusal,
    ids::{AnnouncementId, CourseId},
    markdown::to_html,
};

/// The name of the list for cursors.
const ANNOUNCEMENTS: &str = "announcements";

/// Where an announcement is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::AnnouncementState")]
pub(crate) enum AnnouncementState {
    /// Being written; seen by the course's staff.
    Draft,
    /// To be published at a time; seen by the course's staff until then.
    Scheduled,
    /// Read by those who take the course.
    Published,
    /// Taken back; seen by the course's staff.
    Retracted,
}

/// What the instructors of a course say to all who take it.
#[derive(Clone)]
pub(crate) struct Announcement {
    row: Arc<model::Announcement>,
    standing: Standing<InCourse>,
}

impl Announcement {
    /// The announcement, if the viewer may read it: those who take the course, once it is out; its staff always.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: AnnouncementId) -> Result<Option<Self>, Fault> {
        let Some(found) = Course::find(scope, course).await? else { return Ok(None) };
        let load = scope.load();
        let standing = load.viewpoint.to_members(&found.0).await?;
        if permit(&COURSE_ANNOUNCEMENTS, &standing).is_err() {
            return Ok(None);
        }
        let Some(row) = load.announcements.get((course, id)).await? else { return Ok(None) };
        let is_seen = row.is_out(load.viewpoint.now()) || load.viewpoint.known().await?.teaches(course);
        Ok(is_seen.then_some(Self { row, standing }))
    }

    /// A page of what is out in a course.
    pub(crate) async fn list(scope: &Scope, course: &catalogue::Course, paging: &Paging) -> Shown<Pages<Self>> {
        let standing = match scope.load().viewpoint.to_members(course).await {
            Ok(standing) => standing,
            Err(error) => return Shown::Failed(error.into()),
        };
        match permit(&COURSE_ANNOUNCEMENTS, &standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(permit) => Self::page(scope, course.id, paging, &standing, permit).await.into(),
        }
    }

    async fn page(
        scope: &Scope,
        course: CourseId,
        paging: &Paging,
        standing: &Standing<InCourse>,
        _permit: Permit<tags::Communication>,
    ) -> Result<Pages<Self>, Fault> {
        let request = paging.request(scope, ANNOUNCEMENTS)?;
        let load = scope.load();
        let page = load.announcements_of_course.get(((course, load.viewpoint.now()), request)).await?;
        let key =
            |row: &Arc<model::Announcement>| -> TimeKey { (row.publish_at.unwrap_or(row.created_at).0, row.id.0) };
        connection(scope, ANNOUNCEMENTS, &page, key, |row| Self { row: Arc::clone(row), standing: standing.clone() })
    }

    /// What is not out yet, for those who teach the course; `None` for everybody else.
    pub(crate) async fn planned(scope: &Scope, course: &catalogue::Course) -> Result<Option<Vec<Self>>, Fault> {
        let load = scope.load();
        if !load.viewpoint.known().await?.teaches(course.id) {
            return Ok(None);
        }
        let standing = load.viewpoint.to_members(course).await?;
        let rows = load.planned_announcements.get((course.id, load.viewpoint.now())).await?;
        scope.make_room(rows.len())?;
        Ok(Some(rows.iter().map(|row| Self { row: Arc::clone(row), standing: standing.clone() }).collect()))
    }
}

/// What the instructors of a course say to all who take it.
#[Object]
impl Announcement {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Announcement(self.row.course_id, self.row.id).encode()
    }

    /// What it is about.
    #[graphql(directive = About::apply(&ANNOUNCEMENT_TITLE))]
    async fn title(&self) -> Shown<String> {
        access::show(&ANNOUNCEMENT_TITLE, &self.standing, &self.row.title)
    }

    /// What it says, in Markdown. It is what somebody typed: escape it before you show it, or take `bodyHtml`.
    #[graphql(directive = About::apply(&ANNOUNCEMENT_BODY))]
    async fn body(&self) -> Shown<String> {
        access::show(&ANNOUNCEMENT_BODY, &self.standing, &self.row.body)
    }

    /// What it says, as HTML in which nothing can do harm.
    #[graphql(directive = About::apply(&ANNOUNCEMENT_BODY_HTML))]
    async fn body_html(&self) -> Shown<String> {
        access::show(&ANNOUNCEMENT_BODY_HTML, &self.standing, &self.row.body).map(|body| to_html(&body))
    }

    /// Where it is in its life.
    async fn state(&self, ctx: &Context<'_>) -> AnnouncementState {
        self.row.state(scope(ctx).load().viewpoint.now()).into()
    }

    /// Who wrote it.
    async fn author(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.row.author_id).await.transpose()
    }

    /// The course it belongs to.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<Course, Fault>> {
        Course::find(scope(ctx), self.row.course_id).await.transpose()
    }

    /// When it is or was published; null for a draft.
    async fn publish_at(&self) -> Option<DateTime> {
        self.row.publish_at.map(DateTime)
    }

    /// When it was last edited after it had been published; null if it was not.
    async fn edited_at(&self) -> Option<DateTime> {
        self.row.edited_at.map(DateTime)
    }

    /// Grows with each change: give it back when you change the announcement.
    async fn version(&self) -> i32 {
        int(self.row.version)
    }
}

/// Something to be announced.
#[derive(Debug, InputObject)]
pub(crate) struct CreateAnnouncementInput {
    /// What it is about, 1 to 300 characters.
    title: String,
    /// What it says, in Markdown, 1 to 50,000 characters.
    body: String,
    /// When it is published; at once if left out.
    publish_at: Option<DateTime>,
    /// Whether it is kept as a draft.
    #[graphql(default = false)]
    draft: bool,
    /// A text of your own making, the same when you send this again, so that it is announced once.
    idempotency_key: Option<String>,
}

/// What to change of an announcement. What is left out stays.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateAnnouncementInput {
    /// The version that you read.
    version: i32,
    /// What it is about, 1 to 300 characters.
    title: Option<String>,
    /// What it says, in Markdown, 1 to 50,000 characters.
    body: Option<String>,
    /// When it is to be published, as long as it is not.
    publish_at: Option<DateTime>,
    /// Whether it is to be a draft again, as long as it is not published.
    #[graphql(default = false)]
    draft: bool,
}

/// Which announcement is meant.
#[derive(Debug, InputObject)]
pub(crate) struct AnnouncementVersionInput {
    /// The version that you read.
    version: i32,
}

/// What became of an announcement.
#[derive(SimpleObject)]
pub(crate) struct AnnouncementPayload {
    /// The announcement; null if there were errors.
    announcement: Option<Announcement>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl AnnouncementPayload {
    async fn of(scope: &Scope, course: CourseId, outcome: Result<AnnouncementId, Refusal>) -> Result<Self, Fault> {
        Ok(match outcome {
            Err(refusal) => Self { announcement: None, user_errors: vec![user_error(refusal)] },
            Ok(id) => {
                scope.forget();
                let announcement = Announcement::find(scope, course, id).await?;
                Self { announcement, user_errors: Vec::new() }
            }
        })
    }
}

fn user_error(refusal: Refusal) -> UserError {
    let (code, path): (_, &[&str]) = match refusal {
        Refusal::NoSuchCourse => (UserErrorCode::NotFound, &["courseId"]),
        Refusal::NoSuchAnnouncement => (UserErrorCode::NotFound, &["announcementId"]),
        Refusal::NotInstructor => (UserErrorCode::NotAllowed, &[]),
        Refusal::Title(_) => (UserErrorCode::Length, &["input", "title"]),
        Refusal::Body(_) => (UserErrorCode::Length, &["input", "body"]),
        Refusal::Past => (UserErrorCode::OutOfRange, &["input", "publishAt"]),
        Refusal::DraftWithTime => (UserErrorCode::Conflict, &["input", "draft"]),
        Refusal::IsPublished | Refusal::IsRetracted => (UserErrorCode::Conflict, &["announcementId"]),
        Refusal::TooMany => (UserErrorCode::TooMany, &["input"]),
        Refusal::Stale => (UserErrorCode::StaleVersion, &["input", "version"]),
        Refusal::Key(KeyRefusal::Length(_)) => (UserErrorCode::Length, &["input", "idempotencyKey"]),
        Refusal::Key(KeyRefusal::Reused) => (UserErrorCode::IdempotencyKeyReused, &["input", "idempotencyKey"]),
    };
    UserError::new(code, path, &refusal)
}

/// Announcing.
#[derive(Default)]
pub(crate) struct AnnouncementMutation;

/// Announcing.
#[async_graphql::Object]
impl AnnouncementMutation {
    /// Announces something to those who take a course that you are an instructor of; or plans to.
    async fn create_announcement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the course.")] course_id: ID,
        #[graphql(desc = "The announcement.")] input: CreateAnnouncementInput,
    ) -> Result<AnnouncementPayload, Fault> {
        let scope = scope(ctx);
        let (author, course) = (scope.account_for(TokenScope::Write)?, node::course_id(&course_id)?);
        let publication = match (input.draft, input.publish_at) {
            (true, Some(_)) => return AnnouncementPayload::of(scope, course, Err(Refusal::DraftWithTime)).await,
            (true, None) => Publication::Draft,
            (false, None) => Publication::Now,
            (false, Some(at)) => Publication::At(at.0),
        };
        if let Err(refusal) = instructs(scope, course, Refusal::NoSuchCourse).await? {
            return AnnouncementPayload::of(scope, course, Err(refusal)).await;
        }
        let new = NewAnnouncement { title: input.title, body: input.body, publication };
        let made = scope.app.announcements.create(author, course, &new, input.idempotency_key.as_deref()).await?;
        AnnouncementPayload::of(scope, course, made).await
    }

    /// Changes an announcement. Those who were told of it are not told again.
    async fn update_announcement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the announcement.")] announcement_id: ID,
        #[graphql(desc = "What to change.")] input: UpdateAnnouncementInput,
    ) -> Result<AnnouncementPayload, Fault> {
        let course = node::announcement_id(&announcement_id)?.0;
        let publication = match (input.draft, input.publish_at) {
            (true, Some(_)) => return AnnouncementPayload::of(scope(ctx), course, Err(Refusal::DraftWithTime)).await,
            (true, None) => Some(Publication::Draft),
            (false, None) => None,
            (false, Some(at)) => Some(Publication::At(at.0)),
        };
        let change = AnnouncementChange { title: input.title, body: input.body, publication };
        changed(scope(ctx), &announcement_id, input.version, Some(&change)).await
    }

    /// Publishes a draft, or one that is scheduled for later, at once.
    async fn publish_announcement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the announcement.")] announcement_id: ID,
        #[graphql(desc = "Which version of it.")] input: AnnouncementVersionInput,
    ) -> Result<AnnouncementPayload, Fault> {
        let change = AnnouncementChange { publication: Some(Publication::Now), ..AnnouncementChange::default() };
        changed(scope(ctx), &announcement_id, input.version, Some(&change)).await
    }

    /// Takes an announcement back, for good: it is no longer for those who take the course, nor are the notifications of it.
    async fn retract_announcement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the announcement.")] announcement_id: ID,
        #[graphql(desc = "Which version of it.")] input: AnnouncementVersionInput,
    ) -> Result<AnnouncementPayload, Fault> {
        changed(scope(ctx), &announcement_id, input.version, None).await
    }
}

/// Changes an announcement, or with `None` retracts it.
async fn changed(
    scope: &Scope,
    id: &ID,
    version: i32,
    change: Option<&AnnouncementChange>,
) -> Result<AnnouncementPayload, Fault> {
    scope.account_for(TokenScope::Write)?;
    let (course, id) = node::announcement_id(id)?;
    if Announcement::find(scope, course, id).await?.is_none() {
        return AnnouncementPayload::of(scope, course, Err(Refusal::NoSuchAnnouncement)).await;
    }
    if let Err(refusal) = instructs(scope, course, Refusal::NoSuchAnnouncement).await? {
        return AnnouncementPayload::of(scope, course, Err(refusal)).await;
    }
    let service = &scope.app.announcements;
    let outcome = match change {
        Some(change) => service.change((course, id), i64::from(version), change).await?,
        None => service.retract((course, id), i64::from(version)).await?,
    };
    AnnouncementPayload::of(scope, course, outcome.map(|()| id)).await
}

/// Whether the viewer is an instructor of the course; to whom the course is nothing, it is not there.
async fn instructs(scope: &Scope, course: CourseId, nothing: Refusal) -> Result<Result<(), Refusal>, Fault> {
    if Course::find(scope, course).await?.is_none() {
        return Ok(Err(nothing));
    }
    let load = scope.load();
    Ok(if load.viewpoint.known().await?.moderates(course) { Ok(()) } else { Err(Refusal::NotInstructor) })
}
