//! Editing, removing, and showing oneself.

use super::{
    Forum, MAX_BODY, MAX_REASON, MAX_VERSION, Refusal, length, locked,
    model::{Actor, Anonymity, Edit, Post, RemovedAs},
    moderation::attention,
    store,
};
use crate::{
    db::{DbError, Tx},
    ids::{CourseId, PostId},
    live::{self, model::Event},
    markdown,
    notifications::{
        self,
        model::{NewNotification, NotificationKind},
    },
};

impl Forum {
    /// Edits a post: its author does while its thread is open, a moderator at any time and with a reason. What it said before is kept.
    pub async fn edit_post(
        &self,
        actor: &Actor,
        key: (CourseId, PostId),
        edit: Edit,
    ) -> Result<Result<Post, Refusal>, DbError> {
        let reason = edit.reason.as_deref().map(str::trim);
        let fits = length(&edit.body, MAX_BODY, Refusal::Body)
            .and_then(|()| reason.map_or(Ok(()), |reason| length(reason, MAX_REASON, Refusal::Reason)))
            .and_then(|()| Ok(markdown::check(&edit.body)?));
        if let Err(refusal) = fits {
            return Ok(Err(refusal));
        }
        let mut tx = self.db.begin().await?;
        let (thread, post) = match locked(&mut tx, key).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let is_author = post.author_id == actor.account;
        if let Some(refusal) = [
            (!is_author && !actor.is_moderator).then_some(Refusal::NotEditor),
            post.removal.is_some().then_some(Refusal::Removed),
            (thread.locked_at.is_some() && !actor.is_moderator).then_some(Refusal::Locked(thread.lock_reason)),
            (!is_author && reason.is_none()).then_some(Refusal::ReasonNeeded),
            (post.version != edit.version).then_some(Refusal::Stale(post.version)),
            (post.version >= MAX_VERSION).then_some(Refusal::TooManyEdits),
        ]
        .into_iter()
        .flatten()
        .next()
        {
            return Ok(Err(refusal));
        }
        let (now, as_what) = (self.clock.now(), if is_author { RemovedAs::Author } else { RemovedAs::Moderator });
        store::revisions::keep(&mut tx, &post, self.clock.id(), (actor.account, as_what), reason, now).await?;
        if !store::posts::edit(&mut tx, key, edit.version, &edit.body, now).await? {
            return Ok(Err(Refusal::Stale(post.version)));
        }
        if !is_author {
            let notification = NewNotification {
                person: post.author_id,
                kind: NotificationKind::Moderated,
                course: Some(post.course_id),
                subject: Some(post.thread_id.0),
            };
            notifications::notify(&mut tx, &self.clock, &[notification]).await?;
        }
        changed(&mut tx, &post);
        tx.commit().await?;
        self.read(key).await
    }

    /// Takes one's own post away: its place stays, and the replies to it. Doing it again changes nothing.
    pub async fn delete_post(
        &self,
        actor: &Actor,
        key: (CourseId, PostId),
        reason: Option<&str>,
    ) -> Result<Result<Post, Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        match locked(&mut tx, key).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok((_, post)) if post.author_id != actor.account => return Ok(Err(Refusal::NotAuthor)),
            Ok(_) => {}
        }
        match self.remove(&mut tx, key, RemovedAs::Author, reason).await? {
            Ok(_) | Err(Refusal::Removed) => {}
            Err(refusal) => return Ok(Err(refusal)),
        }
        tx.commit().await?;
        self.read(key).await
    }

    /// Removes a post in the transaction of whoever decides that. It is no answer any more, and nobody stands behind it; what it said
    /// stays for the moderators. The author is notified by the caller.
    pub(crate) async fn remove(
        &self,
        tx: &mut Tx,
        key: (CourseId, PostId),
        by: RemovedAs,
        reason: Option<&str>,
    ) -> Result<Result<Post, Refusal>, DbError> {
        let reason = reason.map(str::trim);
        if let Some(Err(refusal)) = reason.map(|reason| length(reason, MAX_REASON, Refusal::Reason)) {
            return Ok(Err(refusal));
        }
        let (thread, post) = match locked(tx, key).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !store::posts::remove(tx, key, by, reason, self.clock.now()).await? {
            return Ok(Err(Refusal::Removed));
        }
        if thread.answer_id == Some(post.id) {
            store::threads::set_answer(tx, (thread.course_id, thread.id), None).await?;
            live::announce(tx, &Event::ThreadChanged { course: thread.course_id, thread: thread.id });
        }
        attention::recount(tx, thread.course_id, thread.id).await?;
        changed(tx, &post);
        Ok(Ok(post))
    }

    /// Shows who wrote an anonymous post, which only its author can. All that she wrote in the thread under the same number is shown
    /// with it: whoever knows one knows the others.
    pub async fn reveal_post(&self, actor: &Actor, key: (CourseId, PostId)) -> Result<Result<Post, Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let (thread, post) = match locked(&mut tx, key).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if post.author_id != actor.account {
            return Ok(Err(Refusal::NotAuthor));
        }
        let Some(alias) = post.alias.filter(|_| post.anonymity != Anonymity::None) else {
            return Ok(Err(Refusal::NotAnonymous));
        };
        let of_thread = (thread.course_id, thread.id);
        store::posts::reveal(&mut tx, of_thread, alias, actor.account).await?;
        if thread.author_id == actor.account && thread.is_by_asker(&post) {
            store::threads::reveal_asker(&mut tx, of_thread).await?;
        }
        attention::recount(&mut tx, thread.course_id, thread.id).await?;
        live::announce(&mut tx, &Event::ThreadChanged { course: thread.course_id, thread: thread.id });
        changed(&mut tx, &post);
        tx.commit().await?;
        self.read(key).await
    }

    /// A post as it is now.
    pub(super) async fn read(&self, key: (CourseId, PostId)) -> Result<Result<Post, Refusal>, DbError> {
        Ok(store::posts::posts(&self.db, &[key]).await?.pop().ok_or(Refusal::NoSuchPost))
    }
}

/// Tells those who read the post.
pub(super) fn changed(tx: &mut Tx, post: &Post) {
    live::announce(tx, &Event::PostChanged { course: post.course_id, thread: post.thread_id, post: post.id });
}
