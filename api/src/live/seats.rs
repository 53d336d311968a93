//! How many connections there are, and whose.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use super::LiveSettings;
use crate::ids::AccountId;

/// Why there is no place for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoSeat {
    /// The server has as many as it takes.
    #[error("there are too many connections to this server: try again later")]
    Full,
    /// So has the client's address.
    #[error("there are too many connections from your address: close some")]
    Address,
    /// So has the viewer.
    #[error("you have too many connections: close some")]
    Viewer,
}

pub(super) struct Seats {
    most: usize,
    per_address: usize,
    per_viewer: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    addresses: HashMap<IpAddr, usize>,
    viewers: HashMap<AccountId, usize>,
}

/// A place for a connection, until it is dropped.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    address: Option<IpAddr>,
    viewer: Option<AccountId>,
}

impl Seats {
    pub(super) fn new(settings: &LiveSettings) -> Self {
        Self {
            most: settings.connections,
            per_address: settings.connections_per_address,
            per_viewer: settings.connections_per_viewer,
            taken: Mutex::default(),
        }
    }

    pub(super) fn taken(&self) -> usize {
        self.lock().all
    }

    pub(super) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Seat, NoSeat> {
        let mut taken = self.lock();
        if taken.all >= self.most {
            return Err(NoSeat::Full);
        }
        if let Some(address) = address
            && !add(&mut taken.addresses, address, self.per_address)
        {
            return Err(NoSeat::Address);
        }
        taken.all += 1;
        Ok(Seat { seats: Arc::clone(self), address, viewer: None })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Whose connection it is, once she has said so.
    pub(crate) fn give_to(&mut self, viewer: AccountId) -> Result<(), NoSeat> {
        if !add(&mut self.seats.lock().viewers, viewer, self.seats.per_viewer) {
            return Err(NoSeat::Viewer);
        }
        self.viewer = Some(viewer);
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.all -= 1;
        if let Some(address) = self.address {
            take_away(&mut taken.addresses, &address);
        }
        if let Some(viewer) = self.viewer {
            take_away(&mut taken.viewers, &viewer);
        }
    }
}

/// Counts one more, if there are not too many.
fn add<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: K, most: usize) -> bool {
    let count = counts.entry(key).or_default();
    let room = *count < most;
    *count += usize::from(room);
    room
}

fn take_away<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_that_is_left_is_free_again() {
        let settings = LiveSettings {
            connections: 3,
            connections_per_address: 2,
            connections_per_viewer: 1,
            ..LiveSettings::default()
        };
        let seats = Arc::new(Seats::new(&settings));
        let (here, there) = (Some(IpAddr::from([127, 0, 0, 1])), Some(IpAddr::from([127, 0, 0, 2])));
        let viewer = AccountId(uuid::Uuid::from_u128(1));
        let mut first = seats.take(here).unwrap();
        let mut second = seats.take(here).unwrap();
        assert_eq!(seats.take(here).err(), Some(NoSeat::Address));
        assert_eq!(first.give_to(viewer), Ok(()));
        assert_eq!(second.give_to(viewer), Err(NoSeat::Viewer));
        let third = seats.take(there).unwrap();
        assert_eq!(seats.take(None).err(), Some(NoSeat::Full));
        drop(first);
        assert_eq!(second.give_to(viewer), Ok(()));
        drop((second, third));
        assert_eq!(seats.taken(), 0);
        let taken = seats.lock();
        assert!(taken.addresses.is_empty() && taken.viewers.is_empty(), "nothing is kept of those who are gone");
    }
}
