//! Shedding load before it brings the server down.
//!
//! So many requests are carried out at once, a few more wait for a moment, and those beyond are refused at the door, before
//! their body is read: a refusal in time is worth more to a client than an answer that comes too late. One viewer may hold a
//! part of the places only, so that whoever asks a lot waits for herself.
//!
//! What happens on a subscription waits as long as it takes: it was promised.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use poem::http::StatusCode;
use tokio::{sync::oneshot, time::timeout};

use super::{budget::Holder, endpoint::Refused};
use crate::graphql::limits::LimitSettings;

/// How many seconds later a refused client should ask again.
const COME_BACK: u64 = 1;
/// How many requests each core carries out at once if nothing else is set. Most of them wait for the database; more of them take more memory
/// (with 64 a tenth more under load), and are answered no sooner.
const PER_CORE: usize = 16;

/// The places, and who holds them.
#[derive(Clone)]
pub(super) struct Shed(Arc<Inner>);

struct Inner {
    places: usize,
    /// How many of them one viewer may hold.
    each: usize,
    waiting: usize,
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: usize,
    by_holder: HashMap<Holder, usize>,
    queue: VecDeque<Waiter>,
    /// How many in the queue are not subscriptions.
    impatient: usize,
}

struct Waiter {
    holder: Holder,
    is_patient: bool,
    called: oneshot::Sender<()>,
}

/// A place. Whoever drops it makes room for the next.
pub(super) struct Held {
    shed: Shed,
    holder: Holder,
}

impl Shed {
    pub(super) fn new(settings: &LimitSettings) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let places = if settings.concurrent == 0 { PER_CORE * cores } else { settings.concurrent as usize };
        Self(Arc::new(Inner {
            places,
            each: (places * settings.viewer_share as usize / 100).max(1),
            waiting: settings.waiting as usize,
            patience: Duration::from_millis(settings.waiting_milliseconds),
            state: Mutex::default(),
        }))
    }

    /// Whether it makes sense to read what somebody wants.
    pub(super) fn door(&self) -> Result<(), Refused> {
        let state = self.lock();
        let is_full = state.held >= self.0.places && state.impatient >= self.0.waiting;
        if is_full { Err(overloaded()) } else { Ok(()) }
    }

    /// A place for a request, now or soon.
    pub(super) async fn place(&self, holder: Holder) -> Result<Held, Refused> {
        let mut call = match self.enter(holder, false)? {
            Ok(held) => return Ok(held),
            Err(call) => call,
        };
        match timeout(self.0.patience, &mut call.called).await {
            Ok(Ok(())) => Ok(call.take()),
            _ => Err(overloaded()),
        }
    }

    /// A place for something that happened, however long it takes.
    pub(super) async fn place_for_event(&self, holder: Holder) -> Result<Held, Refused> {
        let mut call = match self.enter(holder, true)? {
            Ok(held) => return Ok(held),
            Err(call) => call,
        };
        match (&mut call.called).await {
            Ok(()) => Ok(call.take()),
            Err(_) => Err(overloaded()),
        }
    }

    fn enter(&self, holder: Holder, is_patient: bool) -> Result<Result<Held, Call>, Refused> {
        let mut state = self.lock();
        let own = state.by_holder.get(&holder).copied().unwrap_or_default();
        if state.held < self.0.places && own < self.0.each {
            state.give(holder.clone());
            return Ok(Ok(Held { shed: self.clone(), holder }));
        }
        if !is_patient && state.impatient >= self.0.waiting {
            return Err(overloaded());
        }
        let (call, called) = oneshot::channel();
        state.impatient += usize::from(!is_patient);
        state.queue.push_back(Waiter { holder: holder.clone(), is_patient, called: call });
        Ok(Err(Call { shed: self.clone(), holder: Some(holder), called }))
    }

    /// Calls those who wait, as far as there are places.
    fn call(&self, state: &mut State) {
        // Whoever has gone needs none.
        let gone = state.queue.iter().filter(|waiter| waiter.called.is_closed() && !waiter.is_patient).count();
        state.impatient -= gone;
        state.queue.retain(|waiter| !waiter.called.is_closed());
        while state.held < self.0.places {
            let next = state
                .queue
                .iter()
                .position(|waiter| state.by_holder.get(&waiter.holder).copied().unwrap_or_default() < self.0.each);
            let Some(waiter) = next.and_then(|next| state.queue.remove(next)) else { break };
            state.impatient -= usize::from(!waiter.is_patient);
            state.give(waiter.holder.clone());
            if waiter.called.send(()).is_err() {
                state.take(&waiter.holder);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn give(&mut self, holder: Holder) {
        self.held += 1;
        *self.by_holder.entry(holder).or_default() += 1;
    }

    fn take(&mut self, holder: &Holder) {
        self.held -= 1;
        if let Some(count) = self.by_holder.get_mut(holder) {
            *count -= 1;
            if *count == 0 {
                self.by_holder.remove(holder);
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.shed.lock();
        state.take(&self.holder);
        self.shed.call(&mut state);
    }
}

/// Somebody who waits to be called.
struct Call {
    shed: Shed,
    holder: Option<Holder>,
    called: oneshot::Receiver<()>,
}

impl Call {
    /// The place that she was called to.
    fn take(mut self) -> Held {
        Held { shed: self.shed.clone(), holder: self.holder.take().unwrap_or(Holder::Others) }
    }
}

impl Drop for Call {
    /// She may have been called at the moment in which she went.
    fn drop(&mut self) {
        let Some(holder) = self.holder.take() else { return };
        self.called.close();
        let mut state = self.shed.lock();
        if self.called.try_recv().is_ok() {
            state.take(&holder);
        }
        self.shed.call(&mut state);
    }
}

fn overloaded() -> Refused {
    let message = "more is asked of this server than it can answer in time: ask again in a moment";
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", message).after(COME_BACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shed(concurrent: u64, waiting: u64, milliseconds: u64, viewer_share: u64) -> Shed {
        let waiting_milliseconds = milliseconds;
        Shed::new(&LimitSettings {
            concurrent,
            waiting,
            waiting_milliseconds,
            viewer_share,
            ..LimitSettings::default()
        })
    }

    fn of(name: &str) -> Holder {
        Holder::Network(name.to_owned())
    }

    #[tokio::test]
    async fn so_many_are_carried_out_a_few_wait_and_the_rest_is_refused() {
        let shed = shed(2, 1, 60_000, 100);
        let (first, second) = (shed.place(of("a")).await.unwrap(), shed.place(of("b")).await.unwrap());
        assert!(shed.door().is_ok(), "there is room to wait");
        let third = tokio::spawn({
            let shed = shed.clone();
            async move { shed.place(of("c")).await.is_ok() }
        });
        while shed.lock().impatient == 0 {
            tokio::task::yield_now().await;
        }
        let refused = shed.door().unwrap_err();
        assert_eq!((refused.status.as_u16(), refused.code), (503, "OVERLOADED"));
        assert!(shed.place(of("d")).await.is_err());
        drop(first);
        assert!(third.await.unwrap());
        drop(second);
        let state = shed.lock();
        assert!(state.held == 0 && state.by_holder.is_empty());
    }

    #[tokio::test]
    async fn whoever_waits_too_long_is_refused_and_leaves_nothing_behind() {
        let shed = shed(1, 5, 1, 100);
        let held = shed.place(of("a")).await.unwrap();
        assert!(shed.place(of("b")).await.is_err());
        let left = {
            let state = shed.lock();
            (state.impatient, state.queue.len())
        };
        assert_eq!(left, (0, 0));
        drop(held);
        assert!(shed.place(of("b")).await.is_ok());
        assert_eq!(shed.lock().held, 0);
    }

    #[tokio::test]
    async fn one_viewer_holds_a_part_only_and_others_pass_her_by() {
        let shed = shed(4, 10, 60_000, 50);
        let mut hers = vec![shed.place(of("a")).await.unwrap(), shed.place(of("a")).await.unwrap()];
        let waits = tokio::spawn({
            let shed = shed.clone();
            async move { shed.place(of("a")).await.map(drop).is_ok() }
        });
        while shed.lock().impatient == 0 {
            tokio::task::yield_now().await;
        }
        let _other = shed.place(of("b")).await.unwrap();
        assert!(!waits.is_finished());
        hers.pop();
        assert!(waits.await.unwrap());
    }

    #[tokio::test]
    async fn an_event_waits_where_a_request_would_be_refused() {
        let shed = shed(1, 0, 1, 100);
        let held = shed.place(of("a")).await.unwrap();
        assert!(shed.place(of("b")).await.is_err());
        let event = tokio::spawn({
            let shed = shed.clone();
            async move { shed.place_for_event(of("b")).await.map(drop).is_ok() }
        });
        while shed.lock().queue.is_empty() {
            tokio::task::yield_now().await;
        }
        drop(held);
        assert!(event.await.unwrap());
    }

    #[tokio::test]
    async fn whoever_goes_away_when_she_is_called_loses_no_place() {
        let shed = shed(1, 5, 60_000, 100);
        let held = shed.place(of("a")).await.unwrap();
        let Ok(Err(call)) = shed.enter(of("b"), false) else { panic!("there was a place") };
        drop(held);
        assert_eq!(shed.lock().held, 1, "she was called");
        drop(call);
        assert_eq!(shed.lock().held, 0);
    }
}
