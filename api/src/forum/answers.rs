//! Answers: the asker, or staff, accepts one; staff stands behind some.

use super::{
    Forum, Refusal, editing, locked,
    model::{Actor, Post, Thread, ThreadKind},
    moderation::attention,
    store,
};
use crate::{
    db::{DbError, Tx},
    ids::{CourseId, PostId},
    live::{self, model::Event},
    notifications::{
        self,
        model::{NewNotification, NotificationKind},
    },
};

impl Forum {
    /// Accepts a post as the answer to a question, in place of another. Doing it again changes nothing.
    pub async fn accept_answer(
        &self,
        actor: &Actor,
        key: (CourseId, PostId),
    ) -> Result<Result<Post, Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let (thread, post) = match locked(&mut tx, key).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some(refusal) = not_asker(actor, &thread) {
            return Ok(Err(refusal));
        }
        if thread.kind != ThreadKind::Question {
            return Ok(Err(Refusal::NotQuestion));
        }
        if post.removal.is_some() {
            return Ok(Err(Refusal::Removed));
        }
        if store::posts::first_of_thread(&mut tx, (thread.course_id, thread.id)).await? == Some(post.id) {
            return Ok(Err(Refusal::IsQuestion));
        }
        if thread.answer_id != Some(post.id) {
            store::threads::set_answer(&mut tx, (thread.course_id, thread.id), Some(post.id)).await?;
            attention::recount(&mut tx, thread.course_id, thread.id).await?;
            self.honour(&mut tx, actor, &post, NotificationKind::AnswerAccepted).await?;
            attention::recount(&mut tx, thread.course_id, thread.id).await?;
            thread_changed(&mut tx, &thread);
            editing::changed(&mut tx, &post);
        }
        tx.commit().await?;
        self.read(key).await
    }

    /// Takes back that a post is the answer.
    pub async fn unaccept_answer(
        &self,
        actor: &Actor,
        key: (CourseId, PostId),
    ) -> Result<Result<Post, Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let (thread, post) = match locked(&mut tx, key).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some(refusal) = not_asker(actor, &thread) {
            return Ok(Err(refusal));
        }
        if thread.answer_id != Some(post.id) {
            return Ok(Err(Refusal::NotAnswer));
        }
        store::threads::set_answer(&mut tx, (thread.course_id, thread.id), None).await?;
        attention::recount(&mut tx, thread.course_id, thread.id).await?;
        thread_changed(&mut tx, &thread);
        editing::changed(&mut tx, &post);
        tx.commit().await?;
        self.read(key).await
    }

    /// Says that staff stands behind a post, or no longer does. Doing it again changes nothing.
    pub async fn endorse_post(
        &self,
        actor: &Actor,
        key: (CourseId, PostId),
        endorsed: bool,
    ) -> Result<Result<Post, Refusal>, DbError> {
        if !actor.is_staff {
            return Ok(Err(Refusal::NotStaff));
        }
        let mut tx = self.db.begin().await?;
        let post = match locked(&mut tx, key).await? {
            Ok((_, post)) => post,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if post.removal.is_some() {
            return Ok(Err(Refusal::Removed));
        }
        if endorsed && post.author_id == actor.account {
            return Ok(Err(Refusal::OwnPost));
        }
        if post.endorsed_at.is_some() != endorsed {
            store::posts::endorse(&mut tx, key, endorsed.then(|| self.clock.now())).await?;
            attention::recount(&mut tx, post.course_id, post.thread_id).await?;
            if endorsed {
                self.honour(&mut tx, actor, &post, NotificationKind::AnswerEndorsed).await?;
            }
            attention::recount(&mut tx, post.course_id, post.thread_id).await?;
            editing::changed(&mut tx, &post);
        }
        tx.commit().await?;
        self.read(key).await
    }

    /// Lets the author of a post know, unless she did it herself.
    async fn honour(&self, tx: &mut Tx, actor: &Actor, post: &Post, kind: NotificationKind) -> Result<(), DbError> {
        if post.author_id == actor.account {
            return Ok(());
        }
        let subject = Some(post.id.0);
        let new = NewNotification { person: post.author_id, kind, course: Some(post.course_id), subject };
        notifications::notify(tx, &self.clock, &[new]).await
    }
}

fn not_asker(actor: &Actor, thread: &Thread) -> Option<Refusal> {
    (!actor.is_staff && thread.author_id != actor.account).then_some(Refusal::NotAsker)
}

fn thread_changed(tx: &mut Tx, thread: &Thread) {
    live::announce(tx, &Event::ThreadChanged { course: thread.course_id, thread: thread.id });
}
