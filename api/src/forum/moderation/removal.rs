//! Posts that a moderator removes and puts back. The place of a removed post stays; what it said, and why it was removed, is shown
//! to its author and to moderators only.

use super::{
    MAX_REASON, Moderation, Moderator, Refusal, attention,
    model::{Act, Decided, Decision, NewEntry},
    text,
};
use crate::{
    db::DbError,
    forum::{
        model::RemovedAs,
        store::{moderation as table, reports},
    },
    ids::PostId,
    live::{self, model::Event},
};

/// A post to be changed, and the version that was read of it, where one is given.
pub(crate) type WantedPost = (PostId, Option<i64>);

impl Moderation {
    /// Removes a post. Reports about it that wait are decided by that.
    pub(crate) async fn remove_post(
        &self,
        who: Moderator,
        wanted: WantedPost,
        reason: &str,
    ) -> Result<Result<(), Refusal>, DbError> {
        let reason = match text(reason, MAX_REASON, Refusal::Reason) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(reason) => reason,
        };
        let (mut tx, _, post) = match self.held_post(who.course, wanted).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(held) => held,
        };
        if self.forum.remove(&mut tx, (who.course, post.id), RemovedAs::Moderator, Some(reason)).await?.is_err() {
            return Ok(Err(Refusal::Removed));
        }
        let entry = NewEntry {
            thread: Some(post.thread_id),
            post: Some(post.id),
            about: Some(post.author_id),
            reason: Some(reason),
            ..NewEntry::of(Act::RemovePost)
        };
        self.note(&mut tx, who, &entry).await?;
        self.tell_author(&mut tx, who, post.author_id, post.thread_id).await?;
        if let Some(report) = reports::open_of_post(&mut tx, who.course, post.id).await? {
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

    /// Puts a post back that a moderator removed. It is not accepted or endorsed again by that.
    pub(crate) async fn restore_post(
        &self,
        who: Moderator,
        wanted: WantedPost,
        reason: Option<&str>,
    ) -> Result<Result<(), Refusal>, DbError> {
        let reason = match reason.map(|reason| text(reason, MAX_REASON, Refusal::Reason)).transpose() {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(reason) => reason,
        };
        let (mut tx, _, post) = match self.held_post(who.course, wanted).await? {
            Err(refusal) => return Ok(Err(refusal)),
            // What its author took back is hers.
            Ok((.., post)) if post.removal.as_ref().is_none_or(|removal| removal.by != RemovedAs::Moderator) => {
                return Ok(Err(Refusal::NotRemoved));
            }
            Ok(held) => held,
        };
        table::restore(&mut tx, who.course, post.id).await?;
        attention::recount(&mut tx, who.course, post.thread_id).await?;
        let entry = NewEntry {
            thread: Some(post.thread_id),
            post: Some(post.id),
            about: Some(post.author_id),
            reason,
            ..NewEntry::of(Act::RestorePost)
        };
        self.note(&mut tx, who, &entry).await?;
        live::announce(&mut tx, &Event::PostChanged { course: who.course, thread: post.thread_id, post: post.id });
        self.tell_author(&mut tx, who, post.author_id, post.thread_id).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }
}
