//! A learner's list, made or found, and why a course is not in it.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    Feed, LIST_LIFE,
    model::{HYBRID, List, MAX_LIST, WhyNot, WhyNotKind},
    serving::{Known, Sitting},
    store::{self, State},
};
use crate::{
    access::{Personal, tags},
    accounts,
    db::DbError,
    ids::{AccountId, CourseId, ListId, ModelId},
    time::Timestamp,
};

/// A list as it is given.
pub struct Given {
    /// The list.
    pub list: List,
    kept: Kept,
}

enum Kept {
    /// Nothing is kept of it.
    Never,
    /// It was found where it is kept.
    Already,
    /// It is being written, behind the answer.
    Soon(watch::Receiver<Option<bool>>),
}

impl Given {
    /// The id under which what becomes of the list is reported, once it is kept: whoever asks for it waits for that, and
    /// nobody else does. `None` where nothing is kept of it.
    pub async fn id(&self) -> Option<ListId> {
        let is_kept = match &self.kept {
            Kept::Never => false,
            Kept::Already => true,
            Kept::Soon(kept) => kept.clone().wait_for(Option::is_some).await.is_ok_and(|kept| *kept == Some(true)),
        };
        self.list.id.filter(|_| is_kept)
    }

    fn fleeting(list: List) -> Self {
        Self { list, kept: Kept::Never }
    }
}

impl Feed {
    /// The learner's next courses, the best first, at most [`MAX_LIST`]; `None` without a model.
    ///
    /// The same list is given until the learner does or says something, a newer model comes, or a sitting is over. Who
    /// does not let her data be used gets a list that anybody would get, but for what she takes; nothing is kept of it.
    pub async fn next_courses(
        &self,
        learner: AccountId,
    ) -> Result<Option<Personal<tags::Recommendation, Given>>, DbError> {
        let Some(serving) = self.serving.load_full() else { return Ok(None) };
        let now = self.clock.now();
        let oldest = Timestamp(now.0 - LIST_LIFE);
        let (place, engine) = self.experiment.place_of(&self.key, learner);
        // Who is in no experiment gets what everybody gets.
        let engine = if place.is_some() { engine } else { self.engines.serve_by() };
        let known = self.given.get(&learner);
        let found = store::list(&self.db, learner, serving.model_id, oldest, known.as_ref()).await?;
        match &found {
            None => self.given.invalidate(&learner),
            Some(list) if known.is_none_or(|known| known.id != list.id) => self.given.insert(learner, list.clone()),
            Some(_) => {}
        }
        if let Some(list) = found
            && list.about.experiment == place
            && self.is_still_right(&list.about, engine)
        {
            return Ok(Some(Given { list, kept: Kept::Already }.into()));
        }
        // The state is read first: what happens meanwhile makes the list stale, never wrongly fresh.
        let Some(state) = store::state(&self.db, learner).await? else { return Ok(None) };
        let known = self.known(learner, state).await?;
        if !state.granted {
            let served = serving.served(None);
            let (about, items) = serving.list(&known, &served, Sitting { now, seed: 0, limit: MAX_LIST });
            let list = List { id: None, model: serving.model_id, about, items: items.into() };
            return Ok(Some(Given::fleeting(list).into()));
        }
        let experiment = place.as_ref().map_or("", |place| place.experiment.as_str());
        let id = |made_by: &str| self.list_id(learner, serving.model_id, state, (experiment, made_by), now);
        let made = self.made(&serving, &known, (learner, &serving.served(engine)), now, id).await;
        let (id, mut about, items) = made;
        about.experiment = place;
        let list = List { id: Some(id), model: serving.model_id, about, items: items.into() };
        let kept = self.keep(learner, list.clone(), state, now);
        Ok(Some(Given { list, kept }.into()))
    }

    /// Why a course is not in the learner's list, or where in it it stands.
    pub async fn why_not(
        &self,
        learner: AccountId,
        course: CourseId,
        given: &Given,
    ) -> Result<Personal<tags::Recommendation, WhyNot>, DbError> {
        let plain = |kind, place| WhyNot { place, ..WhyNot::plain(course, kind) };
        if let Some(at) = given.list.items.iter().position(|item| item.course == course) {
            return Ok(plain(WhyNotKind::Listed, Some(at + 1)).into());
        }
        let serving = self.serving.load_full().filter(|serving| serving.model_id == given.list.model);
        let (Some(serving), Some(state)) = (serving, store::state(&self.db, learner).await?) else {
            return Ok(plain(WhyNotKind::NotWeighed, None).into());
        };
        let known = self.known(learner, state).await?;
        let name = Some(given.list.about.engine.as_str()).filter(|name| *name != HYBRID);
        let sitting = Sitting { now: self.clock.now(), seed: given.list.id.map_or(0, seed), limit: MAX_LIST };
        Ok(serving.why_not(&known, &serving.served(name), sitting, course).into())
    }

    async fn known(&self, learner: AccountId, state: State) -> Result<Known, DbError> {
        let learners = [learner];
        let (history, goals, feedback) = futures_util::try_join!(
            store::history(&self.db, learner),
            accounts::store::goals(&self.db, &learners),
            store::feedback::all(&self.db, learner)
        )?;
        let goals = goals.into_iter().map(|(_, topic)| topic).collect();
        Ok(Known { history, goals, feedback, granted: state.granted })
    }

    /// The same for the same state and sitting, so that two requests at once give one list; and nobody can make it up.
    fn list_id(
        &self,
        learner: AccountId,
        model: ModelId,
        state: State,
        (experiment, made_by): (&str, &str),
        now: Timestamp,
    ) -> ListId {
        let sitting = now.0.div_euclid(LIST_LIFE);
        let parts: [&[u8]; 7] = [
            learner.0.as_bytes(),
            model.0.as_bytes(),
            &state.stamp.to_be_bytes(),
            &sitting.to_be_bytes(),
            experiment.as_bytes(),
            &[0],
            made_by.as_bytes(),
        ];
        let hash = self.key.keyed_hash("list", &parts.concat());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        ListId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Keeps a list, behind the answer: reading does not wait for a write. If this one is lost, the list is made again.
    fn keep(&self, learner: AccountId, list: List, state: State, now: Timestamp) -> Kept {
        let (done, kept) = watch::channel(None);
        let feed = self.clone();
        tokio::spawn(async move {
            let is_kept = feed.put(learner, &list, state, now).await.unwrap_or_else(|error| {
                tracing::debug!(%error, "a list of next courses was not kept");
                false
            });
            done.send_replace(Some(is_kept));
        });
        Kept::Soon(kept)
    }

    async fn put(&self, learner: AccountId, list: &List, state: State, now: Timestamp) -> Result<bool, DbError> {
        let Some(id) = list.id else { return Ok(false) };
        let mut tx = self.db.begin().await?;
        if !store::put_list(&mut tx, learner, list, state, now).await? {
            return Ok(false);
        }
        store::log::offer(&mut tx, (learner, id), list, now).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Draws what is explored in a list.
pub(super) fn seed(id: ListId) -> u64 {
    id.0.as_u64_pair().1
}

/// A loader's value.
pub(crate) type GivenList = Option<Arc<Personal<tags::Recommendation, Given>>>;
