//! Votes: once for each person, and never for oneself.
//!
//! Who voted is nobody's business: the sum is everybody's, and whether the viewer has voted is hers.

use super::{
    Forum, Refusal, editing,
    model::{Actor, Post},
    store,
};
use crate::{
    db::DbError,
    ids::{CourseId, PostId},
};

impl Forum {
    /// Votes for a post.
    pub async fn vote(&self, actor: &Actor, key: (CourseId, PostId)) -> Result<Result<Post, Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let Some(post) = store::posts::lock(&mut tx, key.0, key.1).await? else { return Ok(Err(Refusal::NoSuchPost)) };
        if post.author_id == actor.account {
            return Ok(Err(Refusal::OwnPost));
        }
        if post.removal.is_some() {
            return Ok(Err(Refusal::Removed));
        }
        if !store::votes::insert(&mut tx, key, actor.account, self.clock.now()).await? {
            return Ok(Err(Refusal::AlreadyVoted));
        }
        store::posts::add_votes(&mut tx, key, 1).await?;
        editing::changed(&mut tx, &post);
        tx.commit().await?;
        self.read(key).await
    }

    /// Takes one's vote back.
    pub async fn unvote(&self, actor: &Actor, key: (CourseId, PostId)) -> Result<Result<Post, Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        let Some(post) = store::posts::lock(&mut tx, key.0, key.1).await? else { return Ok(Err(Refusal::NoSuchPost)) };
        if !store::votes::delete(&mut tx, key, actor.account).await? {
            return Ok(Err(Refusal::NotVoted));
        }
        store::posts::add_votes(&mut tx, key, -1).await?;
        editing::changed(&mut tx, &post);
        tx.commit().await?;
        self.read(key).await
    }
}
