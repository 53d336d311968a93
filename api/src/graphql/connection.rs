//! Relay connections: the one helper that every list with pages uses.

use async_graphql::{
    OutputType,
    connection::{Connection, Edge, EmptyFields},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use super::errors::Fault;
use crate::db::page::{Direction, MAX_PAGE, Page, PageRequest};

/// A connection without extra fields.
pub(crate) type Pages<T> = Connection<String, T, EmptyFields, EmptyFields>;

/// The four arguments of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paging {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) last: Option<i32>,
    pub(crate) before: Option<String>,
}

impl Paging {
    /// The page that is asked for. `list` names the list and its order: a cursor of another is refused.
    pub(crate) fn request<K: DeserializeOwned>(&self, list: &str) -> Result<PageRequest<K>, Fault> {
        let (limit, direction, cursor) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Fault::bad_input("give either `first` or `last`, not both")),
            (None, None) => {
                return Err(Fault::bad_input(format!(
                    "say how many you want: `first` or `last`, at most {MAX_PAGE}"
                )));
            }
            (Some(first), None) => (("first", first), Direction::Forward, ("after", &self.after)),
            (None, Some(last)) => (("last", last), Direction::Backward, ("before", &self.before)),
        };
        let other = match direction {
            Direction::Forward => self.before.as_ref().map(|_| ("before", "last")),
            Direction::Backward => self.after.as_ref().map(|_| ("after", "first")),
        };
        if let Some((cursor, count)) = other {
            return Err(Fault::bad_input(format!("`{cursor}` goes with `{count}`")));
        }
        let limit = usize::try_from(limit.1).ok().filter(|limit| *limit <= MAX_PAGE).ok_or_else(|| {
            Fault::bad_input(format!("`{}` must be between 0 and {MAX_PAGE}; this was {}", limit.0, limit.1))
        })?;
        let from = match cursor {
            (_, None) => None,
            (name, Some(cursor)) => Some(
                decode(list, cursor)
                    .ok_or_else(|| Fault::bad_input(format!("`{name}` is not a cursor of this list in this order")))?,
            ),
        };
        Ok(PageRequest { limit, direction, from })
    }
}

/// The cursor of the row with this key.
pub(crate) fn cursor<K: Serialize>(list: &str, key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(list, key)).unwrap_or_default())
}

fn decode<K: DeserializeOwned>(list: &str, cursor: &str) -> Option<K> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (of, key): (String, K) = serde_json::from_slice(&bytes).ok()?;
    (of == list).then_some(key)
}

/// A page as a connection.
pub(crate) fn connection<T, K, N>(list: &str, page: &Page<T>, key: impl Fn(&T) -> K, node: impl Fn(&T) -> N) -> Pages<N>
where
    K: Serialize,
    N: OutputType,
{
    let mut connection = Connection::new(page.has_previous, page.has_next);
    connection.edges.extend(page.items.iter().map(|item| Edge::new(cursor(list, &key(item)), node(item))));
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(first: Option<i32>, after: Option<&str>) -> Paging {
        Paging { first, after: after.map(str::to_owned), ..Paging::default() }
    }

    #[test]
    fn a_cursor_leads_back_to_its_row_in_its_own_list_only() {
        let key = (7_i64, uuid::Uuid::from_u128(9));
        let cursor = cursor("threads", &key);
        let request = paging(Some(5), Some(&cursor)).request("threads").unwrap();
        assert_eq!(request, PageRequest { limit: 5, direction: Direction::Forward, from: Some(key) });
        for stranger in ["", "!!", "bm90aGluZw", &cursor] {
            assert!(paging(Some(5), Some(stranger)).request::<(i64, uuid::Uuid)>("posts").is_err(), "{stranger}");
        }
    }

    #[test]
    fn a_page_needs_one_bound_within_reason() {
        assert!(paging(None, None).request::<i64>("threads").is_err());
        assert!(paging(Some(-1), None).request::<i64>("threads").is_err());
        assert!(paging(Some(101), None).request::<i64>("threads").is_err());
        assert!(Paging { first: Some(1), last: Some(1), ..Paging::default() }.request::<i64>("threads").is_err());
        assert!(Paging { last: Some(1), after: Some(String::new()), ..Paging::default() }.request::<i64>("t").is_err());
        assert!(paging(Some(0), None).request::<i64>("threads").is_ok());
    }
}
