//! Pages by key: "twenty after this one". No page costs more because of the pages before it, and a row
//! that is added or removed elsewhere neither repeats nor hides another.

use uuid::Uuid;

/// The longest page that anyone gets.
pub const MAX_PAGE: usize = 100;

/// Which way to read from the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `first` … `after`.
    Forward,
    /// `last` … `before`.
    Backward,
}

/// What part of a list is wanted. `K` is the list's order: what it is sorted by, ending in something unique.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageRequest<K> {
    /// How many at most, `0..=MAX_PAGE`.
    pub limit: usize,
    /// Which way.
    pub direction: Direction,
    /// The row to start beyond; `None` for the list's end on this side.
    pub from: Option<K>,
}

impl<K> PageRequest<K> {
    /// The first `limit` rows.
    pub fn first(limit: usize) -> Self {
        Self { limit, direction: Direction::Forward, from: None }
    }

    /// Whether it reads forward.
    pub fn is_forward(&self) -> bool {
        self.direction == Direction::Forward
    }

    /// One row more than wanted tells whether there are more.
    pub(crate) fn fetch(&self) -> i64 {
        self.limit as i64 + 1
    }
}

/// A list ordered by an instant and an id: the commonest order.
pub type TimeKey = (i64, Uuid);

impl PageRequest<TimeKey> {
    /// The key to start beyond: the cursor's, or one beyond every row on the side the reading starts
    /// from. `ascending` is the list's own order.
    pub(crate) fn start(&self, ascending: bool) -> TimeKey {
        self.from.unwrap_or(if self.is_forward() == ascending {
            (i64::MIN, Uuid::nil())
        } else {
            (i64::MAX, Uuid::max())
        })
    }
}

/// A part of a list, in the list's own order.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether there are rows before these.
    pub has_previous: bool,
    /// Whether there are rows after these.
    pub has_next: bool,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), has_previous: false, has_next: false }
    }
}

impl<T> Page<T> {
    /// From the rows as they were read: up to one more than wanted, backwards if the request is.
    pub fn from_rows<K>(mut rows: Vec<T>, request: &PageRequest<K>) -> Self {
        let more = rows.len() > request.limit;
        rows.truncate(request.limit);
        let came_from_somewhere = request.from.is_some();
        if request.is_forward() {
            Self { items: rows, has_previous: came_from_somewhere, has_next: more }
        } else {
            rows.reverse();
            Self { items: rows, has_previous: more, has_next: came_from_somewhere }
        }
    }

    /// The same page of other things.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            has_previous: self.has_previous,
            has_next: self.has_next,
        }
    }
}
