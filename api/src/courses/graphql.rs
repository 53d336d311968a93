//! The catalogue in the graph.

pub(crate) mod authoring;
mod content;
mod parts;

use parts::for_staff;
pub(crate) use parts::{Lesson, Module};

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::model::{self, CourseKey};
use crate::{
    access::{
        COURSE_ANNOUNCEMENTS, COURSE_FORUM, COURSE_LEARNERS, COURSE_STATISTICS, InCourse, Shown, Standing,
        graphql::About, permit,
    },
    accounts::graphql::Person,
    announcements::graphql::Announcement,
    enrolling::graphql::settings::CourseEnrolling,
    forum::graphql::Forum,
    graphql::{
        connection::{Pages, Paging, connection},
        direct::{List, enums},
        errors::Fault,
        node::NodeId,
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::CourseId,
    progress::graphql::{CourseStatistics, Enrolment, EnrolmentState, LearnerOrder},
    reviews::graphql::CourseReviews,
};

enums!(Level, CourseStatus, parts::LessonKind, parts::PartStatus, parts::LessonCompletion);

/// How much a course expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::Level")]
pub(crate) enum Level {
    /// Nothing.
    Beginner,
    /// The basics.
    Intermediate,
    /// Experience.
    Advanced,
}

/// Where a course is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::CourseStatus")]
pub(crate) enum CourseStatus {
    /// Seen by its staff only.
    Draft,
    /// In the catalogue.
    Published,
    /// Kept for those who took it.
    Archived,
}

/// What somebody does in a course that she does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::StaffRole")]
pub(crate) enum StaffRole {
    /// Teaches it.
    Instructor,
    /// Helps to teach it.
    Assistant,
}

/// How a list of courses is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::CourseOrder")]
pub(crate) enum CourseOrder {
    /// By title, from A to Z.
    Title,
    /// The latest first.
    Newest,
    /// The shortest first.
    Shortest,
}

/// Which courses are wanted. Everything that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct CourseFilter {
    /// About any of these topics, by slug.
    topics: Option<Vec<String>>,
    /// At any of these levels.
    levels: Option<Vec<Level>>,
    /// In this language, by its BCP 47 tag, such as `en`.
    language: Option<String>,
    /// With each of these words in title or summary, at most 16.
    text: Option<String>,
}

impl From<CourseFilter> for model::CourseFilter {
    fn from(filter: CourseFilter) -> Self {
        Self {
            topics: filter.topics,
            levels: filter.levels.map(|levels| levels.into_iter().map(Into::into).collect()),
            language: filter.language,
            text: filter.text,
        }
    }
}

/// What courses are about.
#[derive(Clone)]
pub(crate) struct Topic(pub(crate) model::Topic);

/// What courses are about.
#[Object]
impl Topic {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Topic(self.0.id).encode()
    }

    /// A readable name for addresses and filters, unique.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }
}

/// A course of the catalogue.
#[derive(Clone)]
pub(crate) struct Course(pub(crate) Arc<model::Course>);

impl Course {
    /// The course, if the viewer may know of it.
    pub(crate) async fn find(scope: &Scope, id: CourseId) -> Result<Option<Self>, Fault> {
        let load = scope.load();
        Ok(match load.courses.get(id).await? {
            Some(course) if course.is_public() => Some(Self(course)),
            Some(course) if load.viewpoint.known().await?.membership(id).staff => Some(Self(course)),
            _ => None,
        })
    }

    /// What the viewer is to those who write in the course's forum, and to its sums.
    pub(crate) async fn standing(&self, scope: &Scope) -> Result<Standing<InCourse>, Fault> {
        Ok(scope.load().viewpoint.to_course(&self.0).await?)
    }
}

/// A course of the catalogue.
#[Object]
impl Course {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Course(self.0.id).encode()
    }

    /// A readable name for addresses, unique.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What it is about, in a few sentences.
    async fn summary(&self) -> &str {
        &self.0.summary
    }

    /// Its language, as a BCP 47 tag.
    async fn language(&self) -> &str {
        &self.0.language
    }

    /// How much it expects; null where nobody said.
    async fn level(&self) -> Option<Level> {
        self.0.level.map(Into::into)
    }

    /// Where it is in its life.
    async fn status(&self) -> CourseStatus {
        self.0.status.into()
    }

    /// The length of its lessons together, in seconds.
    async fn seconds(&self) -> i32 {
        int(self.0.seconds)
    }

    /// How many lessons it has.
    async fn lesson_count(&self) -> i32 {
        int(self.0.lesson_count)
    }

    /// Grows with each change of the course itself, for those who change it: give it back with yours. Null for everybody else.
    async fn version(&self, ctx: &Context<'_>) -> Option<Result<i32, Fault>> {
        for_staff(scope(ctx), self.0.id, || int(self.0.version)).await
    }

    /// Grows when lessons come or go that learners find in it, from 1.
    async fn content_version(&self) -> i32 {
        int(self.0.content_version)
    }

    /// Since when it is in the catalogue; for a draft, since when there is one.
    async fn published_at(&self) -> DateTime {
        self.0.published_at.into()
    }

    /// How many learners have enrolled.
    async fn learner_count(&self, ctx: &Context<'_>) -> Result<i32, Fault> {
        Ok(int(scope(ctx).load().rollups.get(self.0.id).await?.learner_count))
    }

    /// What those who took it think of it.
    async fn rating(&self, ctx: &Context<'_>) -> Result<CourseRating, Fault> {
        let rollup = scope(ctx).load().rollups.get(self.0.id).await?;
        Ok(CourseRating { average: rollup.average_rating(), count: int(rollup.rating_count) })
    }

    /// What it is about, the most important first.
    async fn topics(&self, ctx: &Context<'_>) -> Result<List<Topic>, Fault> {
        let scope = scope(ctx);
        let topics = scope.load().topics_of_course.get(self.0.id).await?;
        scope.make_room(topics.len())?;
        Ok(topics.iter().cloned().map(Topic).collect())
    }

    /// The courses that come before it.
    async fn prerequisites(&self, ctx: &Context<'_>) -> Result<Vec<Self>, Fault> {
        let scope = scope(ctx);
        let load = scope.load();
        let ids = load.prerequisites.get(self.0.id).await?;
        scope.make_room(ids.len())?;
        let courses = load.courses.get_many(ids.to_vec()).await?;
        Ok(ids.iter().filter_map(|id| courses.get(id).cloned().flatten()).map(Self).collect())
    }

    /// Who teaches it.
    async fn staff(&self, ctx: &Context<'_>) -> Result<Vec<StaffMember>, Fault> {
        let scope = scope(ctx);
        let staff = scope.load().staff.get(self.0.id).await?;
        scope.make_room(staff.len())?;
        Ok(staff.iter().cloned().map(StaffMember).collect())
    }

    /// Its modules, in order; for its staff with those that are drafts.
    async fn modules(&self, ctx: &Context<'_>) -> Result<List<Module>, Fault> {
        Module::of_course(scope(ctx), self.0.id).await
    }

    /// Your enrolment in it; null if you don't take it.
    async fn my_enrolment(&self, ctx: &Context<'_>) -> Option<Result<Enrolment, Fault>> {
        let scope = scope(ctx);
        Enrolment::find(scope, scope.viewer.id()?, self.0.id).await.transpose()
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "the macro awaits it")]
    async fn enrolling(&self) -> CourseEnrolling {
        CourseEnrolling(Arc::clone(&self.0))
    }

    #[graphql(flatten)]
    #[expect(clippy::unused_async, reason = "the macro awaits it")]
    async fn said(&self) -> CourseReviews {
        CourseReviews(Arc::clone(&self.0))
    }

    /// Its forum, for those who take or teach it; an open forum is for everybody who has signed in.
    #[graphql(directive = About::apply(&COURSE_FORUM))]
    async fn forum(&self, ctx: &Context<'_>) -> Shown<Forum> {
        match self.standing(scope(ctx)).await {
            Err(fault) => Shown::Failed(fault),
            Ok(standing) => match permit(&COURSE_FORUM, &standing) {
                Err(denied) => Shown::Denied(denied),
                Ok(permit) => Shown::permitted(permit, Forum::new(self.0.id, standing)),
            },
        }
    }

    /// What was announced to those who take it, the latest first; for them and its staff.
    #[graphql(directive = About::apply(&COURSE_ANNOUNCEMENTS))]
    async fn announcements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
    ) -> Shown<Pages<Announcement>> {
        Announcement::list(scope(ctx), &self.0, &Paging { first, after, last, before }).await
    }

    /// Drafts of announcements, and those whose time has not come, for those who teach it; null for others.
    async fn planned_announcements(&self, ctx: &Context<'_>) -> Option<Result<Vec<Announcement>, Fault>> {
        Announcement::planned(scope(ctx), &self.0).await.transpose()
    }

    /// The class, for those who teach it: everybody who takes the course, and those who left it or completed it
    /// as long as the course's staff keep their records.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    #[graphql(directive = About::apply(&COURSE_LEARNERS))]
    async fn learners(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 300. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 300.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those in this state; all if left out.")] state: Option<EnrolmentState>,
        #[graphql(desc = "Only those in the cohort with this global id; all if left out.")] cohort: Option<ID>,
        #[graphql(desc = "In which order.", default_with = "LearnerOrder::EnrolledAt")] order_by: LearnerOrder,
    ) -> Shown<Pages<Enrolment>> {
        let paging = Paging { first, after, last, before };
        Enrolment::of_class(scope(ctx), self.0.id, &paging, (state, cohort), order_by).await
    }

    /// How the class does, in sums that speak of nobody alone: for those who teach it, analysts and administrators.
    #[graphql(directive = About::apply(&COURSE_STATISTICS))]
    async fn statistics(&self, ctx: &Context<'_>) -> Shown<CourseStatistics> {
        let scope = scope(ctx);
        match self.standing(scope).await {
            Err(fault) => Shown::Failed(fault),
            Ok(standing) => CourseStatistics::read(scope, self.0.id, &standing).await,
        }
    }
}

/// What learners think of a course.
#[derive(SimpleObject)]
pub(crate) struct CourseRating {
    /// The average of the ratings, 1 to 5, to half a star; null until there are 5: nobody's own shows. Ratings without a review
    /// that everybody reads count in it when there are 5 of them, or none.
    average: Option<f64>,
    /// How many have rated it.
    count: i32,
}

/// Somebody who teaches a course.
pub(crate) struct StaffMember(model::StaffMember);

/// Somebody who teaches a course.
#[Object]
impl StaffMember {
    /// Who.
    async fn person(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.0.account_id).await.transpose()
    }

    /// As what.
    async fn role(&self) -> StaffRole {
        self.0.role.into()
    }
}

/// Reading the catalogue.
#[derive(Default)]
pub(crate) struct CourseQuery;

/// Reading the catalogue.
#[async_graphql::Object]
impl CourseQuery {
    /// The courses of the catalogue, page by page.
    #[expect(clippy::too_many_arguments, reason = "they are the field's arguments")]
    async fn courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100. Either this or `last` is needed.")] first: Option<i32>,
        #[graphql(desc = "With `first`: those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "With `last`: those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which courses are wanted; all if left out.")] filter: Option<CourseFilter>,
        #[graphql(desc = "In which order.", default_with = "CourseOrder::Title")] order_by: CourseOrder,
    ) -> Option<Result<Pages<Course>, Fault>> {
        let paging = Paging { first, after, last, before };
        Some(page(scope(ctx), &paging, filter.unwrap_or_default().into(), order_by.into()).await)
    }

    /// A course by its slug; null if there is none.
    async fn course(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The course's slug.")] slug: String,
    ) -> Option<Result<Course, Fault>> {
        let scope = scope(ctx);
        match scope.load().slugs.get(slug).await {
            Ok(id) => Course::find(scope, id?).await.transpose(),
            Err(error) => Some(Err(error.into())),
        }
    }

    /// Every topic that there are courses on, by name.
    async fn topics(&self, ctx: &Context<'_>) -> Option<Result<Vec<Topic>, Fault>> {
        let topics = scope(ctx).load().all_topics.get(()).await;
        Some(topics.map(|topics| topics.iter().cloned().map(Topic).collect()).map_err(Fault::from))
    }
}

async fn page(
    scope: &Scope,
    paging: &Paging,
    filter: model::CourseFilter,
    order: model::CourseOrder,
) -> Result<Pages<Course>, Fault> {
    let list = format!("courses/{}", order.as_str());
    let request = paging.request::<CourseKey>(scope, &list)?;
    if request.from.as_ref().is_some_and(|key| !key.fits(order)) {
        return Err(Fault::bad_input("the cursor is not one of this list in this order"));
    }
    let letters = filter.text.as_deref().map_or(0, |text| text.chars().count());
    if letters > model::MAX_SEARCH {
        return Err(Fault::bad_input(format!(
            "`text` takes at most {} characters; these were {letters}",
            model::MAX_SEARCH
        )));
    }
    let words = filter.text.as_deref().map_or(0, |text| text.split_whitespace().count());
    if words > model::MAX_WORDS {
        return Err(Fault::bad_input(format!("`text` takes at most {} words; these were {words}", model::MAX_WORDS)));
    }
    let page = scope.load().course_pages.get((filter, order, request)).await?;
    connection(scope, &list, &page, |course| CourseKey::of(course, order), |course| Course(Arc::clone(course)))
}
