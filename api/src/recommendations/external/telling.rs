//! Telling engines outside what people do, without anybody waiting for it.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::sync::{Mutex, mpsc};

use super::{Engines, ExternalError, Outside, Speaks, gorse};
use crate::{
    courses::store as catalogue,
    db::DbError,
    ids::{AccountId, CourseId},
    recommendations::arrivals,
    time::Timestamp,
};

/// So much may wait to be told to one engine.
const ROOM: usize = 1_024;
/// So much is told in one request.
const BATCH: usize = 100;
/// After these pauses what was not taken is told again, then it is given up.
const AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// What somebody did with a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happened {
    /// She enrolled.
    Enrolled,
    /// She said that she likes it.
    Liked,
}

/// What is waiting to be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    what: Happened,
    learner: AccountId,
    course: CourseId,
    at: Timestamp,
}

/// What became of what was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Taken.
    pub taken: u64,
    /// Given up, or never queued for want of room.
    pub lost: u64,
}

/// What waits to be told to one engine.
pub(super) struct Queue {
    name: String,
    enrolled_as: String,
    liked_as: String,
    sender: mpsc::Sender<News>,
    receiver: Mutex<mpsc::Receiver<News>>,
    taken: AtomicU64,
    lost: AtomicU64,
}

impl Queue {
    pub(super) fn new(name: &str, enrolled_as: &str, liked_as: &str) -> Self {
        let (sender, receiver) = mpsc::channel(ROOM);
        Self {
            name: name.to_owned(),
            enrolled_as: enrolled_as.to_owned(),
            liked_as: liked_as.to_owned(),
            sender,
            receiver: Mutex::new(receiver),
            taken: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }

    fn called(&self, what: Happened) -> &str {
        match what {
            Happened::Enrolled => &self.enrolled_as,
            Happened::Liked => &self.liked_as,
        }
    }

    fn push(&self, news: News) {
        if self.called(news.what).is_empty() {
            return;
        }
        if self.sender.try_send(news).is_err() {
            self.lose(1, "no room is left");
        }
    }

    fn lose(&self, count: u64, why: &str) {
        let before = self.lost.fetch_add(count, Ordering::Relaxed);
        // The first, and then each hundredth: an engine that is down must not fill the log.
        if before == 0 || before / 100 != (before + count) / 100 {
            tracing::warn!(engine = %self.name, lost = before + count, why, "an engine was not told what people did");
        }
    }
}

impl Engines {
    /// Notes that somebody did something with a course, for the engines that want to know. Waits for nothing.
    pub fn happened(&self, what: Happened, learner: AccountId, course: CourseId, at: Timestamp) {
        for (_, queue) in self.queues() {
            queue.push(News { what, learner, course, at });
        }
    }

    /// Tells the engines what is queued, and goes on until the future is dropped.
    pub async fn keep_telling(&self) {
        futures_util::future::join_all(self.queues().map(|(engine, queue)| async move {
            let mut batch = Vec::new();
            while queue.receiver.lock().await.recv_many(&mut batch, BATCH).await > 0 {
                self.tell(engine, queue, std::mem::take(&mut batch)).await;
            }
        }))
        .await;
    }

    /// Tells the engines what is queued by now.
    pub async fn tell_queued(&self) {
        for (engine, queue) in self.queues() {
            let mut batch = Vec::new();
            while let Ok(news) = queue.receiver.lock().await.try_recv() {
                batch.push(news);
            }
            for part in batch.chunks(BATCH) {
                self.tell(engine, queue, part.to_vec()).await;
            }
        }
    }

    /// What became of what an engine was told since the start.
    pub fn told(&self, name: &str) -> Told {
        let queue = self.queues().find(|(_, queue)| queue.name == name);
        queue.map_or_else(Told::default, |(_, queue)| Told {
            taken: queue.taken.load(Ordering::Relaxed),
            lost: queue.lost.load(Ordering::Relaxed),
        })
    }

    fn queues(&self) -> impl Iterator<Item = (&Outside, &Queue)> {
        self.0.by_name.values().filter_map(|engine| match &engine.speaks {
            Speaks::Gorse(_, queue) => Some((engine, &**queue)),
            Speaks::Ours { .. } => None,
        })
    }

    async fn tell(&self, engine: &Outside, queue: &Queue, news: Vec<News>) {
        let count = news.len() as u64;
        let feedback = match self.feedback(queue, &news).await {
            Ok(feedback) if feedback.is_empty() => return,
            Ok(feedback) => feedback,
            Err(error) => {
                tracing::debug!(%error, "what people did could not be looked up");
                return queue.lose(count, "the database did not answer");
            }
        };
        let Speaks::Gorse(gorse, _) = &engine.speaks else { return };
        let mut pauses = AGAIN_AFTER.into_iter();
        loop {
            match engine.caller.in_time(gorse.tell(&engine.caller, &feedback)).await {
                Ok(()) => {
                    queue.taken.fetch_add(feedback.len() as u64, Ordering::Relaxed);
                    return;
                }
                // What it can't read now it can't read later.
                Err(ExternalError::Status(400..=499)) => return queue.lose(count, "it refuses what it is told"),
                Err(_) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return queue.lose(count, "it does not answer"),
                },
            }
        }
    }

    /// News in the engine's terms, without those of learners who may not be profiled.
    async fn feedback(&self, queue: &Queue, news: &[News]) -> Result<Vec<gorse::Feedback>, DbError> {
        let learners: HashSet<_> = news.iter().map(|news| news.learner).collect();
        let learners = arrivals::who_may_be_profiled(&self.0.db, learners).await?;
        let courses: Vec<_> = news.iter().map(|news| news.course).collect::<HashSet<_>>().into_iter().collect();
        let courses = catalogue::by_ids(&self.0.db, &courses).await?;
        let slugs: HashMap<_, _> = courses.into_iter().map(|course| (course.id, course.slug)).collect();
        Ok(news
            .iter()
            .filter(|news| learners.contains(&news.learner))
            .filter_map(|news| {
                Some(gorse::Feedback {
                    kind: queue.called(news.what).to_owned(),
                    user_id: self.pseudonym(&queue.name, news.learner),
                    item_id: slugs.get(&news.course)?.clone(),
                    timestamp: gorse::timestamp(news.at),
                })
            })
            .collect())
    }
}
