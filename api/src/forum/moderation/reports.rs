//! Reports: what readers tell the moderators of a post, and what these decide.
//!
//! All reports of a post that wait for a decision are decided together. Who reported is shown to the forum's moderators, so
//! that they can ask, and see who reports for spite; it is hidden from the author, from assistants, and from a moderator
//! who wrote the post herself. She finds no report about a post of hers in the queue, and can't decide on it, unless
//! nobody else could: then she finds it without names and texts.

use super::{
    MAX_REASON, MAX_REPORT, MAX_REPORTS, Moderation, Moderator, REPORTS_IN_HOURS, Refusal, attention,
    model::{Decided, Decision, NewEntry, NewReport, Report, ReportReason, ReportState},
    text,
};
use crate::{
    courses::{self, model::StaffRole},
    db::{
        DbError,
        page::{Page, PageRequest, TimeKey},
    },
    forum::{
        model::RemovedAs,
        store::{moderation as table, reports},
    },
    ids::{AccountId, CourseId, PostId, ReportId},
    live::{self, model::Event},
    time::Timestamp,
};

/// What a moderator decides on a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewDecision<'a> {
    pub(crate) report: ReportId,
    /// The version of the report that she read.
    pub(crate) version: i64,
    pub(crate) decision: Decision,
    /// Why; needed for whatever its author is told of.
    pub(crate) reason: Option<&'a str>,
}

impl Moderation {
    /// Reports a post to the moderators. The reporter may read it.
    pub(crate) async fn report(
        &self,
        reporter: AccountId,
        (course, post): (CourseId, PostId),
        new: NewReport,
    ) -> Result<Result<ReportId, Refusal>, DbError> {
        let new = match checked(new) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(new) => new,
        };
        let now = self.clock.now();
        // Whoever reports it at the same time waits here.
        let (mut tx, _, held) = match self.held_post(course, (post, None)).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(held) => held,
        };
        if held.removal.is_some() {
            return Ok(Err(Refusal::Removed));
        }
        if held.author_id == reporter {
            return Ok(Err(Refusal::OwnPost));
        }
        let since = Timestamp(now.0 - REPORTS_IN_HOURS * 3_600_000_000);
        if reports::lately(&mut tx, course, reporter, (since, MAX_REPORTS)).await? >= MAX_REPORTS {
            return Ok(Err(Refusal::TooManyReports));
        }
        let waiting = reports::open_of_post(&mut tx, course, post).await?;
        // Hashed: an id that told the time would tell who reports it later that somebody did before.
        let report = waiting.unwrap_or_else(|| ReportId::imported("new", &self.clock.id::<uuid::Uuid>().to_string()));
        if waiting.is_none() {
            reports::open(&mut tx, (course, report), (post, held.author_id), now).await?;
        }
        if !reports::tell(&mut tx, (course, report), reporter, &new, now).await? {
            return Ok(Err(Refusal::AlreadyReported));
        }
        if waiting.is_some() {
            reports::count_reporter(&mut tx, course, report).await?;
        }
        live::announce(&mut tx, &Event::ModerationChanged { course, report });
        tx.commit().await?;
        Ok(Ok(report))
    }

    /// A page of a course's reports in a state, the oldest first, as a moderator finds them.
    pub(crate) async fn queue(
        &self,
        who: Moderator,
        state: ReportState,
        request: &PageRequest<TimeKey>,
    ) -> Result<Page<Report>, DbError> {
        let alone = self.is_alone(who).await?;
        let rows = reports::queue(&self.db, (who.course, state), (who.id, alone), request).await?;
        Ok(Page::from_rows(rows, request))
    }

    /// Whether a report is for a moderator: not if it is about a post of hers, unless nobody else could decide.
    pub(crate) async fn is_for(&self, who: Moderator, report: &Report) -> Result<bool, DbError> {
        Ok(report.author_id != who.id || self.is_alone(who).await?)
    }

    /// Decides on all reports of a post that wait. The same decision by the same moderator again changes nothing.
    pub(crate) async fn decide(&self, who: Moderator, new: NewDecision<'_>) -> Result<Result<(), Refusal>, DbError> {
        let reason = match new.reason {
            None if new.decision == Decision::Dismiss => None,
            reason => match text(reason.unwrap_or_default(), MAX_REASON, Refusal::Reason) {
                Err(refusal) => return Ok(Err(refusal)),
                Ok(reason) => Some(reason),
            },
        };
        let alone = self.is_alone(who).await?;
        let Some(found) = reports::reports(&self.db, &[(who.course, new.report)]).await?.pop() else {
            return Ok(Err(Refusal::NoSuchReport));
        };
        // Thread and post first, as in a report, so that the two don't wait for each other.
        let (mut tx, held, post) = match self.held_post(who.course, (found.post_id, None)).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(held) => held,
        };
        let Some(report) = reports::hold(&mut tx, who.course, new.report).await? else {
            return Ok(Err(Refusal::NoSuchReport));
        };
        if report.author_id == who.id && !alone {
            return Ok(Err(Refusal::OwnReport));
        }
        if let Some(decided) = report.decided {
            let again = decided.by == who.id && decided.decision == new.decision && decided.reason.as_deref() == reason;
            return Ok(if again { Ok(()) } else { Err(Refusal::Decided(decided.decision)) });
        }
        if report.version != new.version {
            return Ok(Err(Refusal::Stale(report.version)));
        }
        let now = self.clock.now();
        let decided = Decided { decision: new.decision, reason: reason.map(str::to_owned), by: who.id, at: now };
        reports::decide(&mut tx, (who.course, report.id), &decided).await?;
        let (key, thread, why) = ((who.course, report.post_id), post.thread_id, reason.unwrap_or_default());
        match new.decision {
            Decision::Dismiss => {}
            // Its author may have been faster: there is nothing left to remove then.
            Decision::RemovePost if post.removal.is_some() => {}
            Decision::RemovePost => {
                if self.forum.remove(&mut tx, key, RemovedAs::Moderator, reason).await?.is_err() {
                    return Ok(Err(Refusal::Removed));
                }
            }
            Decision::LockThread => {
                table::lock(&mut tx, (who.course, thread), Some((now, why))).await?;
                attention::recount(&mut tx, who.course, thread).await?;
                live::announce(&mut tx, &Event::ThreadChanged { course: who.course, thread });
            }
            Decision::Warn => table::warn(&mut tx, key, now, why).await?,
        }
        let entry = NewEntry {
            thread: Some(thread),
            post: Some(report.post_id),
            about: Some(post.author_id),
            reason,
            ..NewEntry::of(new.decision.act())
        };
        self.note(&mut tx, who, &entry).await?;
        if new.decision != Decision::Dismiss {
            self.tell_author(&mut tx, who, post.author_id, thread).await?;
        }
        if new.decision == Decision::LockThread && held.author_id != post.author_id {
            self.tell_author(&mut tx, who, held.author_id, thread).await?;
        }
        self.tell_reporters(&mut tx, who, report.id).await?;
        live::announce(&mut tx, &Event::ModerationChanged { course: who.course, report: report.id });
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Whether nobody else keeps order in the forum.
    async fn is_alone(&self, who: Moderator) -> Result<bool, DbError> {
        let staff = courses::store::staff(&self.db, &[who.course]).await?;
        Ok(!staff.iter().any(|(_, member)| member.role == StaffRole::Instructor && member.account_id != who.id))
    }
}

/// A report with a text that is neither empty nor too long.
fn checked(new: NewReport) -> Result<NewReport, Refusal> {
    let text = new.text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let letters = text.as_deref().map_or(0, |text| text.chars().count());
    if letters > MAX_REPORT {
        Err(Refusal::Text(letters))
    } else if text.is_none() && new.reason == ReportReason::Other {
        Err(Refusal::TextNeeded)
    } else {
        Ok(NewReport { text, ..new })
    }
}
