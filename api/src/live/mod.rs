//! What happens, told to those who listen.
//!
//! An area that changes something which somebody may be waiting for says so in the transaction of the change
//! ([`announce`]); it is heard once that is committed, on every replica. Whoever listens ([`Live::subscribe`]) says to
//! what ([`Topic`]), and gets what happens there by a queue of her own. The queue has a limit: a listener who
//! does not keep up is dropped ([`TooSlow`]), so that nothing is kept for her without end.
//!
//! Invariant: what is told holds ids only. What a listener gets to see of it is read, and decided, for her, when she is
//! told.

pub(crate) mod graphql;
pub mod model;
mod queue;
mod seats;
pub(crate) mod settings;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::db::{Db, DbError, Tx, notices::Heard};
use model::{Event, Happening, Topic};
use queue::Queue;
pub(crate) use queue::TooSlow;
pub(crate) use seats::{NoSeat, Seat};
pub use settings::LiveSettings;

/// Tells of something once the transaction is committed, and never if it is not.
pub(crate) fn announce(tx: &mut Tx, event: &Event) {
    tx.announce(event.to_notice());
}

/// Tells of something that concerns this process alone.
pub(crate) fn announce_here(db: &Db, event: &Event) {
    db.tell_here(event.to_notice());
}

/// So long whoever subscribes waits for this process to hear anything at all. If it takes longer, she is told later
/// that she may have missed something.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest wait between two tries to listen.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// So long after the last subscription this process goes on listening, since the next one may be near.
const LINGER: Duration = Duration::from_mins(1);

/// Who listens to what in this process; cheap to clone.
#[derive(Clone)]
pub struct Live {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    settings: LiveSettings,
    listeners: Mutex<HashMap<Topic, Vec<Arc<Queue>>>>,
    /// How many subscriptions there are.
    count: watch::Sender<usize>,
    /// Whether this process hears what is told.
    hears: watch::Sender<bool>,
    /// Whether it is ending.
    ending: watch::Sender<bool>,
    seats: Arc<seats::Seats>,
    dropped: AtomicU64,
}

impl Live {
    /// Nobody listens yet. [`Live::keep_listening`] must run for anything to be heard.
    pub fn new(db: Db, settings: LiveSettings) -> Self {
        let seats = Arc::new(seats::Seats::new(&settings));
        let inner = Inner {
            db,
            settings,
            listeners: Mutex::default(),
            count: watch::Sender::new(0),
            hears: watch::Sender::new(false),
            ending: watch::Sender::new(false),
            seats,
            dropped: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The limits.
    pub(crate) fn settings(&self) -> &LiveSettings {
        &self.inner.settings
    }

    /// How many subscriptions there are now.
    pub fn subscriptions(&self) -> usize {
        *self.inner.count.borrow()
    }

    /// How many connections there are now.
    pub fn connections(&self) -> usize {
        self.inner.seats.taken()
    }

    /// How many subscriptions were dropped so far, since their clients did not keep up.
    pub fn dropped(&self) -> u64 {
        self.inner.dropped.load(Ordering::Relaxed)
    }

    /// Whether this process hears what is told; it does only while somebody listens.
    pub fn hears(&self) -> bool {
        *self.inner.hears.borrow()
    }

    /// A place for a connection, if there is one.
    pub(crate) fn seat(&self, address: Option<std::net::IpAddr>) -> Result<Seat, NoSeat> {
        self.inner.seats.take(address)
    }

    /// Listens to these topics from now on.
    pub(crate) async fn subscribe(&self, topics: Vec<Topic>) -> Subscription {
        let queue = Arc::new(Queue::new(self.inner.settings.queue));
        {
            let mut listeners = self.inner.lock();
            for topic in &topics {
                listeners.entry(*topic).or_default().push(Arc::clone(&queue));
            }
        }
        self.inner.count.send_modify(|count| *count += 1);
        let mut hears = self.inner.hears.subscribe();
        if timeout(PATIENCE, hears.wait_for(|hears| *hears)).await.is_err() {
            tracing::warn!("somebody listens, and this process hears nothing yet");
        }
        Subscription { inner: Arc::clone(&self.inner), topics, queue }
    }

    /// Hears what is told, while there is somebody to tell, until the future is dropped.
    pub async fn keep_listening(&self) {
        let inner = &*self.inner;
        let (mut count, mut wait) = (inner.count.subscribe(), Duration::ZERO);
        let mut may_have_missed = false;
        loop {
            if count.wait_for(|count| *count > 0).await.is_err() {
                return;
            }
            let begun = Instant::now();
            let listened = inner.listen(&mut count, may_have_missed).await;
            inner.hears.send_replace(false);
            match listened {
                // Whoever subscribed at this moment may have been told that all is heard.
                Ok(()) => (wait, may_have_missed) = (Duration::ZERO, *count.borrow() > 0),
                Err(error) => {
                    may_have_missed = true;
                    // What held for a while is tried again at once.
                    if begun.elapsed() > LONGEST_WAIT {
                        wait = Duration::ZERO;
                    }
                    tracing::warn!(%error, wait = ?wait, "what happens is not heard: trying again");
                    sleep(wait).await;
                    wait = (wait * 2).clamp(Duration::from_millis(100), LONGEST_WAIT);
                }
            }
        }
    }

    /// Ends: connections are closed, and none is taken any more. Returns when they are gone, or after a while.
    pub async fn end(&self) {
        self.inner.ending.send_replace(true);
        let gone = async {
            while self.connections() > 0 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = timeout(PATIENCE, gone).await;
    }

    /// Resolves when it ends.
    pub(crate) async fn ended(&self) {
        // The sender lives as long as this.
        let _ = self.inner.ending.subscribe().wait_for(|ending| *ending).await;
    }

    /// Whether it is ending.
    pub(crate) fn is_ending(&self) -> bool {
        *self.inner.ending.borrow()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, HashMap<Topic, Vec<Arc<Queue>>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears until nobody has listened for a while, or until the connection breaks.
    async fn listen(&self, count: &mut watch::Receiver<usize>, may_have_missed: bool) -> Result<(), DbError> {
        let mut ear = self.db.listen().await?;
        self.hears.send_replace(true);
        if may_have_missed {
            tracing::info!("what happens is heard again");
            self.miss();
        }
        let mut nobody_since = None;
        loop {
            nobody_since = if *count.borrow_and_update() > 0 { None } else { nobody_since.or(Some(Instant::now())) };
            let heard = tokio::select! {
                heard = ear.hear() => heard?,
                _ = count.changed() => continue,
                () = sleep_until(nobody_since.unwrap_or_else(Instant::now) + LINGER), if nobody_since.is_some() => return Ok(()),
            };
            match heard {
                Heard::Missed => self.miss(),
                Heard::Notice(notice) if self.lock().is_empty() => drop(notice),
                Heard::Notice(notice) => {
                    if let Some(event) = Event::from_notice(&notice) {
                        self.tell(event);
                    }
                }
            }
        }
    }

    /// Tells those who listen to it.
    fn tell(&self, event: Event) {
        let listeners = self.lock();
        for topic in event.topics().into_iter().flatten() {
            for queue in listeners.get(&topic).into_iter().flatten() {
                self.put(queue, Happening::Event(event));
            }
        }
    }

    /// Tells everybody that there may have been something.
    fn miss(&self) {
        for queue in self.lock().values().flatten() {
            self.put(queue, Happening::Missed);
        }
    }

    fn put(&self, queue: &Queue, happening: Happening) {
        if queue.put(happening).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Somebody who listens; she does no more when this is dropped.
pub(crate) struct Subscription {
    inner: Arc<Inner>,
    topics: Vec<Topic>,
    queue: Arc<Queue>,
}

impl Subscription {
    /// What happens next.
    pub(crate) async fn next(&self) -> Result<Happening, TooSlow> {
        self.queue.next().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut listeners = self.inner.lock();
        for topic in &self.topics {
            if let Some(queues) = listeners.get_mut(topic) {
                queues.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
                if queues.is_empty() {
                    listeners.remove(topic);
                }
            }
        }
        drop(listeners);
        self.inner.count.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{db::Options, ids::AccountId};

    #[tokio::test]
    async fn each_listener_hears_what_she_listens_to_and_the_slow_one_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&Options::create(&format!("sqlite://{}/stoa.db", folder.path().display()))).await.unwrap();
        let live = Live::new(db.clone(), LiveSettings { queue: 1, ..LiveSettings::default() });
        let listening = tokio::spawn({
            let live = live.clone();
            async move { live.keep_listening().await }
        });
        let people = [1, 2].map(|n| AccountId(uuid::Uuid::from_u128(n)));
        let event = |n: usize| Event::RecommendationsChanged { learner: people[n] };
        let mut listeners = Vec::new();
        for n in [0, 0, 1] {
            listeners.push(live.subscribe(vec![Topic::Recommendations(people[n]), Topic::Models]).await);
        }
        let mut tx = db.begin().await.unwrap();
        announce(&mut tx, &event(0));
        tx.commit().await.unwrap();
        for listener in &listeners[..2] {
            assert_eq!(listener.next().await, Ok(Happening::Event(event(0))));
        }
        // What was not committed is not told.
        let mut tx = db.begin().await.unwrap();
        announce(&mut tx, &event(1));
        drop(tx);
        announce_here(&db, &Event::ModelChanged);
        for listener in &listeners[1..] {
            assert_eq!(listener.next().await, Ok(Happening::Event(Event::ModelChanged)));
        }
        // The first one has not taken that, and there is room for one.
        for n in [0, 1] {
            announce_here(&db, &event(n));
        }
        assert_eq!(listeners[2].next().await, Ok(Happening::Event(event(1))));
        assert_eq!(listeners[1].next().await, Ok(Happening::Event(event(0))));
        assert_eq!(listeners[0].next().await, Err(TooSlow));
        assert_eq!((live.subscriptions(), live.dropped()), (3, 1));
        drop(listeners);
        assert_eq!(live.subscriptions(), 0);
        assert!(live.inner.lock().is_empty(), "nothing is kept of those who are gone");
        listening.abort();
    }
}
