//! What the hashes of the log are made of.

use uuid::Uuid;

use super::store::{BatchRow, LogRow};
use crate::{accounts::secret::SecretKey, ids::AccountId};

/// A canonical row: each value with its length before it, so that no two rows have the same bytes.
struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn value(&mut self, value: Option<&[u8]>) {
        match value {
            None => self.0.push(0),
            Some(value) => {
                self.0.push(1);
                self.number(value.len() as i64);
                self.0.extend_from_slice(value);
            }
        }
    }
}

/// The hash of a row at its place.
pub(super) fn row_hash(key: &SecretKey, row: &LogRow) -> [u8; 32] {
    fn id<T: Copy + Into<Uuid>>(id: Option<&T>) -> Option<[u8; 16]> {
        id.map(|id| *(*id).into().as_bytes())
    }
    let mut bytes = Bytes(Vec::with_capacity(256));
    for number in [row.batch, row.position, row.at.0] {
        bytes.number(number);
    }
    let (person, actor): (_, _) = (id::<AccountId>(Some(&row.person_id)), id(row.actor_id.as_ref()));
    let (course, case, credential) =
        (id(row.course_id.as_ref()), id(row.case_id.as_ref()), id(row.credential_id.as_ref()));
    for value in [&person, &actor, &course, &case, &credential] {
        bytes.value(value.as_ref().map(<[u8; 16]>::as_slice));
    }
    bytes.value(Some(row.event.as_bytes()));
    for text in [&row.relation, &row.category, &row.client, &row.network, &row.request_id, &row.detail] {
        bytes.value(text.as_ref().map(String::as_bytes));
    }
    key.keyed_hash("access log row", &bytes.0)
}

/// The hash of a batch, which holds those of its rows and that of the batch before it.
pub(super) fn batch_hash(key: &SecretKey, batch: &BatchRow, row_hashes: &[u8]) -> [u8; 32] {
    let mut bytes = Bytes(Vec::with_capacity(64 + row_hashes.len()));
    for number in [batch.number, batch.at.0, batch.row_count] {
        bytes.number(number);
    }
    bytes.0.extend_from_slice(&batch.previous_hash);
    bytes.0.extend_from_slice(row_hashes);
    key.keyed_hash("access log batch", &bytes.0)
}
