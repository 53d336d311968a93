//! Reports to a forum's moderators.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};
use stoa_macros::Object;

use super::{Post, moderating::user_error, moderation::moderator, reader};
use crate::{
    access::{
        self, InCourse, REPORT_DECISION, REPORT_MINE, REPORT_OUTCOME, REPORT_REASONS, REPORT_REPORTED_AT,
        REPORT_REPORTER_COUNT, REPORT_REPORTS, REPORT_VERSION, Shown, Standing, TokenScope, graphql::About, permit,
    },
    accounts::graphql::Person,
    courses::graphql::Course,
    db::page::TimeKey,
    forum::moderation::{
        Moderator, Refusal,
        model::{self, NewReport},
        reports::NewDecision,
    },
    graphql::{
        connection::{Pages, Paging, connection},
        errors::{Fault, UserError},
        node::{self, NodeId},
        scalars::{DateTime, int},
        scope::{Scope, scope},
    },
    ids::{AccountId, CourseId, ReportId},
};

/// What is wrong with a reported post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::ReportReason")]
pub(crate) enum ReportReason {
    /// Advertising, or the same again and again.
    Spam,
    /// It insults or threatens somebody.
    Harassment,
    /// It does not belong here.
    OffTopic,
    /// It gives away what learners are to find by themselves.
    Cheating,
    /// It shows what is somebody's own.
    PersonalData,
    /// Something else; the text says what.
    Other,
}

/// Whether a report waits for the moderators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "model::ReportState")]
pub(crate) enum ReportState {
    /// It waits.
    Open,
    /// It was decided.
    Decided,
}

/// What a moderator makes of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "ModerationDecision", remote = "model::Decision")]
pub(crate) enum Decision {
    /// Nothing is wrong with the post.
    Dismiss,
    /// The post is removed.
    RemovePost,
    /// The thread takes no more posts.
    LockThread,
    /// The author is told what is wrong with it.
    Warn,
}

/// What came of a report, for who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum ReportOutcome {
    /// The moderators found nothing wrong with the post.
    Dismissed,
    /// The moderators did something about it.
    Acted,
}

/// That a post was reported to the moderators of its forum, by one or several. They see all of it; who reported it sees what she
/// said herself, and what came of it; to everybody else, the post's author among them, there is none.
pub(crate) struct Report {
    row: Arc<model::Report>,
    /// What the viewer is to those who write in the forum: to a moderator the report shows.
    standing: Standing<InCourse>,
    /// What she is to herself: what she reported shows to her.
    own: Standing<InCourse>,
    viewer: AccountId,
}

impl Report {
    /// The report, if it is for the viewer.
    pub(crate) async fn find(scope: &Scope, course: CourseId, id: ReportId) -> Result<Option<Self>, Fault> {
        let (Some(viewer), Some(of)) = (scope.viewer.id(), Course::find(scope, course).await?) else { return Ok(None) };
        let load = scope.load();
        let Some(row) = load.reports.get((course, id)).await? else { return Ok(None) };
        let standing = of.standing(scope).await?;
        let who = Moderator { id: viewer, course };
        let is_hers = standing_moderates(&standing) && scope.app.moderation.is_for(who, &row).await?;
        if !is_hers && load.told_by.get(((course, id), viewer)).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(Self::new(scope, row, standing, viewer).await?))
    }

    async fn new(
        scope: &Scope,
        row: Arc<model::Report>,
        standing: Standing<InCourse>,
        viewer: AccountId,
    ) -> Result<Self, Fault> {
        let load = scope.load();
        let known = load.viewpoint.known().await?;
        let own = load.viewpoint.in_course(known, viewer, row.course_id, None);
        Ok(Self { row, standing, own, viewer })
    }

    /// A page of a forum's queue, for a moderator of it.
    pub(super) async fn queue(
        scope: &Scope,
        who: Moderator,
        standing: &Standing<InCourse>,
        state: ReportState,
        paging: &Paging,
    ) -> Result<Pages<Self>, Fault> {
        let state = model::ReportState::from(state);
        let list = format!("reports/{}", state.as_str());
        let request = paging.request(scope, &list)?;
        let page = scope.app.moderation.queue(who, state, &request).await?;
        let load = scope.load();
        let known = load.viewpoint.known().await?;
        let own = load.viewpoint.in_course(known, who.id, who.course, None);
        let page = page.map(Arc::new);
        let key = |row: &Arc<model::Report>| -> TimeKey { (row.reported_at.0, row.id.0) };
        connection(scope, &list, &page, key, |row| Self {
            row: Arc::clone(row),
            standing: standing.clone(),
            own: own.clone(),
            viewer: who.id,
        })
    }

    fn key(&self) -> (CourseId, ReportId) {
        (self.row.course_id, self.row.id)
    }

    /// What the viewer reported herself, if she did.
    async fn told(
        &self,
        scope: &Scope,
    ) -> Result<Option<Arc<access::Personal<access::tags::Moderation, model::Told>>>, Fault> {
        Ok(scope.load().told_by.get((self.key(), self.viewer)).await?)
    }
}

/// Whether the viewer keeps order in the forum.
fn standing_moderates(standing: &Standing<InCourse>) -> bool {
    permit(&REPORT_REPORTS, standing).is_ok()
}

/// That a post was reported to the moderators of its forum, by one or several. They see all of it; who reported it sees what she
/// said herself, and what came of it; to everybody else, the post's author among them, there is none.
#[Object]
impl Report {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Report(self.row.course_id, self.row.id).encode()
    }

    /// The post.
    async fn post(&self, ctx: &Context<'_>) -> Option<Result<Post, Fault>> {
        Post::find(scope(ctx), self.row.course_id, self.row.post_id).await.transpose()
    }

    /// Whether it waits.
    async fn state(&self) -> ReportState {
        self.row.state.into()
    }

    /// What you reported yourself; null if you did not.
    #[graphql(directive = About::apply(&REPORT_MINE))]
    async fn mine(&self, ctx: &Context<'_>) -> Shown<Option<OwnReport>> {
        match self.told(scope(ctx)).await {
            Err(fault) => Shown::Failed(fault),
            Ok(told) => match permit(&REPORT_MINE, &self.own) {
                Err(denied) => Shown::Denied(denied),
                Ok(permit) => Shown::from(Ok::<_, Fault>(told.map(|told| OwnReport(told.open(permit).clone())))),
            },
        }
    }

    /// What came of it; null as long as it waits. For who reported it, and for the moderators.
    #[graphql(directive = About::apply(&REPORT_OUTCOME))]
    async fn outcome(&self, ctx: &Context<'_>) -> Shown<Option<ReportOutcome>> {
        let told = match self.told(scope(ctx)).await {
            Err(fault) => return Shown::Failed(fault),
            Ok(told) => told,
        };
        let standing = if told.is_some() { &self.own } else { &self.standing };
        if let Err(denied) = permit(&REPORT_OUTCOME, standing) {
            return Shown::Denied(denied);
        }
        Shown::from(Ok::<_, Fault>(self.row.decided.as_ref().map(|decided| match decided.decision {
            model::Decision::Dismiss => ReportOutcome::Dismissed,
            _ => ReportOutcome::Acted,
        })))
    }

    /// When the post was reported first.
    #[graphql(directive = About::apply(&REPORT_REPORTED_AT))]
    async fn reported_at(&self) -> Shown<DateTime> {
        self.for_moderators(&REPORT_REPORTED_AT, || self.row.reported_at.into())
    }

    /// The version: give it with your decision. It grows with each report and with the decision.
    #[graphql(directive = About::apply(&REPORT_VERSION))]
    async fn version(&self) -> Shown<i32> {
        self.for_moderators(&REPORT_VERSION, || int(self.row.version))
    }

    /// How many have reported it.
    #[graphql(directive = About::apply(&REPORT_REPORTER_COUNT))]
    async fn reporter_count(&self) -> Shown<i32> {
        access::show(&REPORT_REPORTER_COUNT, &self.standing, &self.row.reporter_count).map(int)
    }

    /// What they gave as reasons, the commonest first.
    #[graphql(directive = About::apply(&REPORT_REASONS))]
    async fn reasons(&self, ctx: &Context<'_>) -> Shown<Vec<ReasonCount>> {
        match scope(ctx).load().reasons_of_report.get(self.key()).await {
            Err(error) => Shown::Failed(error.into()),
            Ok(reasons) => access::show(&REPORT_REASONS, &self.standing, &reasons).map(|reasons| {
                reasons
                    .iter()
                    .map(|(reason, count)| ReasonCount { reason: (*reason).into(), count: int(*count) })
                    .collect()
            }),
        }
    }

    /// What each of them said, the first first, at most 100. Empty where the post is yours: who reports a post is not told to
    /// the one who wrote it.
    #[graphql(directive = About::apply(&REPORT_REPORTS))]
    async fn reports(&self, ctx: &Context<'_>) -> Shown<Vec<ReaderReport>> {
        let told = match scope(ctx).load().told_of_report.get(self.key()).await {
            Err(error) => return Shown::Failed(error.into()),
            Ok(told) => told,
        };
        let is_authors = self.row.author_id == self.viewer;
        access::show(&REPORT_REPORTS, &self.standing, &told)
            .map(|told| told.iter().filter(|_| !is_authors).map(|told| ReaderReport(told.clone())).collect())
    }

    /// What was decided; null as long as it waits.
    #[graphql(directive = About::apply(&REPORT_DECISION))]
    async fn decision(&self) -> Shown<Option<ReportDecision>> {
        self.for_moderators(&REPORT_DECISION, || self.row.decided.clone().map(ReportDecision))
    }
}

impl Report {
    fn for_moderators<T>(
        &self,
        field: &'static access::Field<access::tags::Moderation>,
        value: impl FnOnce() -> T,
    ) -> Shown<T> {
        match permit(field, &self.standing) {
            Err(denied) => Shown::Denied(denied),
            Ok(_permit) => Shown::from(Ok::<_, Fault>(value())),
        }
    }
}

/// How often a reason was given.
#[derive(SimpleObject)]
pub(crate) struct ReasonCount {
    /// The reason.
    reason: ReportReason,
    /// How often.
    count: i32,
}

/// What you reported.
pub(crate) struct OwnReport(model::Told);

/// What you reported.
#[Object]
impl OwnReport {
    /// What is wrong with the post.
    async fn reason(&self) -> ReportReason {
        self.0.reason.into()
    }

    /// In your own words; null where you wrote nothing.
    async fn text(&self) -> Option<&str> {
        self.0.text.as_deref()
    }

    /// When.
    async fn reported_at(&self) -> DateTime {
        self.0.reported_at.into()
    }
}

/// What a reader reported.
pub(crate) struct ReaderReport(model::Told);

/// What a reader reported.
#[Object]
impl ReaderReport {
    /// Who.
    async fn reporter(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.0.reporter_id).await.transpose()
    }

    /// What is wrong with the post.
    async fn reason(&self) -> ReportReason {
        self.0.reason.into()
    }

    /// In her own words; null where she wrote nothing.
    async fn text(&self) -> Option<&str> {
        self.0.text.as_deref()
    }

    /// When.
    async fn reported_at(&self) -> DateTime {
        self.0.reported_at.into()
    }
}

/// What a moderator decided on a report.
pub(crate) struct ReportDecision(model::Decided);

/// What a moderator decided on a report.
#[Object]
impl ReportDecision {
    /// What.
    async fn decision(&self) -> Decision {
        self.0.decision.into()
    }

    /// Why; null where she gave no reason.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Who.
    async fn decided_by(&self, ctx: &Context<'_>) -> Option<Result<Person, Fault>> {
        Person::load(scope(ctx), self.0.by).await.transpose()
    }

    /// When.
    async fn decided_at(&self) -> DateTime {
        self.0.at.into()
    }
}

/// What is wrong with a post.
#[derive(Debug, InputObject)]
pub(crate) struct ReportPostInput {
    /// What is wrong with it.
    reason: ReportReason,
    /// In your own words, at most 1,000 characters; needed with `OTHER`.
    text: Option<String>,
}

/// What a moderator decides.
#[derive(Debug, InputObject)]
pub(crate) struct DecideReportInput {
    /// What.
    decision: Decision,
    /// Why, 1 to 500 characters; needed for everything but `DISMISS`. Readers see it with a locked thread, the author with
    /// a removed post and a warning.
    reason: Option<String>,
    /// The report's version that you read.
    version: i32,
}

/// What became of `reportPost` or `decideReport`.
#[derive(SimpleObject)]
pub(crate) struct ReportPayload {
    /// The report as it is now. Null if there were errors, unless the error is that somebody was faster: then it says who did
    /// what.
    report: Option<Report>,
    /// What you can mend.
    user_errors: Vec<UserError>,
}

impl ReportPayload {
    fn refused(refusal: Refusal) -> Self {
        Self { report: None, user_errors: vec![user_error(refusal)] }
    }
}

/// Reporting posts, and deciding on reports.
#[derive(Default)]
pub(crate) struct ReportMutation;

/// Reporting posts, and deciding on reports.
#[async_graphql::Object]
impl ReportMutation {
    /// Reports a post that you may read to the moderators of its forum, once as long as nobody has decided. Its author is not
    /// told; moderators see that it was you. You are notified of what comes of it.
    async fn report_post(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the post.")] post_id: ID,
        #[graphql(desc = "What is wrong with it.")] input: ReportPostInput,
    ) -> Result<ReportPayload, Fault> {
        let scope = scope(ctx);
        let reporter = scope.account_for(TokenScope::Write)?;
        let (course, post) = node::post_id(&post_id)?;
        if reader(scope, course).await?.is_none() {
            return Ok(ReportPayload::refused(Refusal::NoSuchPost));
        }
        let new = NewReport { reason: input.reason.into(), text: input.text };
        Ok(match scope.app.moderation.report(reporter, (course, post), new).await? {
            Err(refusal) => ReportPayload::refused(refusal),
            Ok(report) => {
                scope.forget();
                ReportPayload { report: Report::find(scope, course, report).await?, user_errors: Vec::new() }
            }
        })
    }

    /// Decides on a reported post, for all who reported it, as a moderator of its forum. They are notified that it was decided,
    /// its author of what was done. Deciding the same again changes nothing.
    async fn decide_report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the report.")] report_id: ID,
        #[graphql(desc = "The decision.")] input: DecideReportInput,
    ) -> Result<ReportPayload, Fault> {
        let scope = scope(ctx);
        let (course, report) = node::report_id(&report_id)?;
        let who = match moderator(scope, course).await? {
            Err(Refusal::NoSuchForum) => return Ok(ReportPayload::refused(Refusal::NoSuchReport)),
            Err(refusal) => return Ok(ReportPayload::refused(refusal)),
            Ok(who) => who,
        };
        let new = NewDecision {
            report,
            version: input.version.into(),
            decision: input.decision.into(),
            reason: input.reason.as_deref(),
        };
        let user_errors = match scope.app.moderation.decide(who, new).await? {
            // She learns no more of it than that she can't: it is not in her queue.
            Err(refusal @ (Refusal::Decided(_) | Refusal::Stale(_))) => vec![user_error(refusal)],
            Err(refusal) => return Ok(ReportPayload::refused(refusal)),
            Ok(()) => Vec::new(),
        };
        scope.forget();
        Ok(ReportPayload { report: Report::find(scope, course, report).await?, user_errors })
    }
}
