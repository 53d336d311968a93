//! Posts that a moderator removes and puts back. The place of a removed post stays, with the reason; what it said is shown to
//! its author and to moderators only.

use super::{
    MAX_REASON, Moderation, Moderator, Refusal, attention,
    model::{Act, Decided, Decision, NewEntry},
    text,
};
use crate::{
    db::{DbError, Tx},
    forum::{
        model::RemovedAs,
        store::{moderation as table, reports},
    },
    ids::{PostId, ThreadId},
    live::{self, model::Event},
};

/// A post to be changed, and the version that was read of it, where one is given.
pub(crate) type WantedPost = (PostId, Option<i64>);

impl Moderation {
    /// Removes a post. Reports about it that wait are decided by that.
    pub(crate) async fn remove_post(
        &self,
        who: Moderator,
        (post, version): WantedPost,
        reason: &str,
    ) -> Result<Result<(), Refusal>, DbError> {
        let reason = match text(reason, MAX_REASON, Refusal::Reason) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(reason) => reason,
        };
        let mut tx = self.db.begin().await?;
        let Some(held) = table::hold_post(&mut tx, who.course, post).await? else {
            return Ok(Err(Refusal::NoSuchPost));
        };
        match version {
            _ if held.removed_as.is_some() => return Ok(Err(Refusal::Removed)),
            Some(read) if read != held.version => return Ok(Err(Refusal::Stale(held.version))),
            _ => {}
        }
        self.remove(&mut tx, who, (held.thread_id, post), reason).await?;
        let entry = NewEntry {
            thread: Some(held.thread_id),
            post: Some(post),
            about: Some(held.author_id),
            reason: Some(reason),
            ..NewEntry::of(Act::RemovePost)
        };
        self.note(&mut tx, who, &entry).await?;
        self.tell_author(&mut tx, who, held.author_id, held.thread_id).await?;
        if let Some(report) = reports::open_of_post(&mut tx, who.course, post).await? {
            let decided = Decided {
                decision: Decision::RemovePost,
                reason: Some(reason.to_owned()),
                by: who.id,
                at: self.clock.now(),
            };
            if reports::decide(&mut tx, (who.course, report), &decided).await? {
                self.tell_reporters(&mut tx, who, report).await?;
                live::announce(&mut tx, &Event::ModerationChanged { course: who.course, report });
            }
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Puts a post back that a moderator removed.
    pub(crate) async fn restore_post(
        &self,
        who: Moderator,
        (post, version): WantedPost,
        reason: Option<&str>,
    ) -> Result<Result<(), Refusal>, DbError> {
        let reason = match reason.map(|reason| text(reason, MAX_REASON, Refusal::Reason)).transpose() {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(reason) => reason,
        };
        let mut tx = self.db.begin().await?;
        let Some(held) = table::hold_post(&mut tx, who.course, post).await? else {
            return Ok(Err(Refusal::NoSuchPost));
        };
        match version {
            Some(read) if read != held.version => return Ok(Err(Refusal::Stale(held.version))),
            // What its author took back is hers.
            _ if held.removed_as != Some(RemovedAs::Moderator) => return Ok(Err(Refusal::NotRemoved)),
            _ => {}
        }
        table::restore(&mut tx, who.course, post).await?;
        attention::recount(&mut tx, who.course, held.thread_id).await?;
        let entry = NewEntry {
            thread: Some(held.thread_id),
            post: Some(post),
            about: Some(held.author_id),
            reason,
            ..NewEntry::of(Act::RestorePost)
        };
        self.note(&mut tx, who, &entry).await?;
        live::announce(&mut tx, &Event::PostChanged { course: who.course, thread: held.thread_id, post });
        self.tell_author(&mut tx, who, held.author_id, held.thread_id).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// Removes a post in a transaction, and tells those who look at its thread.
    pub(super) async fn remove(
        &self,
        tx: &mut Tx,
        who: Moderator,
        (thread, post): (ThreadId, PostId),
        reason: &str,
    ) -> Result<(), DbError> {
        table::remove(tx, (who.course, thread, post), self.clock.now(), reason).await?;
        attention::recount(tx, who.course, thread).await?;
        live::announce(tx, &Event::PostChanged { course: who.course, thread, post });
        Ok(())
    }
}
