//! What the hashes of the log are made of.

use uuid::Uuid;

use super::store::{BatchRow, LogRow};
use crate::{
    accounts::secret::{Hasher, SecretKey},
    ids::AccountId,
};

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

    fn row<T: AsRef<str>>(&mut self, row: &LogRow<T>) {
        fn id<T: Copy + Into<Uuid>>(id: Option<&T>) -> Option<[u8; 16]> {
            id.map(|id| *(*id).into().as_bytes())
        }
        for number in [row.batch, row.position, row.at.0] {
            self.number(number);
        }
        let (person, actor): (_, _) = (id::<AccountId>(Some(&row.person_id)), id(row.actor_id.as_ref()));
        let (course, case, credential) =
            (id(row.course_id.as_ref()), id(row.case_id.as_ref()), id(row.credential_id.as_ref()));
        for value in [&person, &actor, &course, &case, &credential] {
            self.value(value.as_ref().map(<[u8; 16]>::as_slice));
        }
        self.value(Some(row.event.as_ref().as_bytes()));
        for text in [&row.relation, &row.category, &row.client, &row.network, &row.request_id, &row.detail] {
            self.value(text.as_ref().map(|text| text.as_ref().as_bytes()));
        }
    }
}

/// Makes the hashes of many rows.
pub(super) struct RowHasher {
    hasher: Hasher,
    /// The room of the row before is that of the next.
    bytes: Bytes,
}

impl RowHasher {
    pub(super) fn new(key: &SecretKey) -> Self {
        Self { hasher: key.hasher("access log row"), bytes: Bytes(Vec::with_capacity(512)) }
    }

    /// The hash of a row at its place.
    pub(super) fn hash<T: AsRef<str>>(&mut self, row: &LogRow<T>) -> [u8; 32] {
        self.bytes.0.clear();
        self.bytes.row(row);
        self.hasher.hash(&self.bytes.0)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ids::CourseId, time::Timestamp};

    /// What was written before must be found whole for ever. The hash was made by another program, from the description alone.
    #[test]
    fn the_hash_of_a_row_is_what_it_always_was() {
        let row = LogRow {
            person_id: AccountId(Uuid::from_u128(1)),
            batch: 7,
            position: 2,
            at: Timestamp(1_700_000_000_000_000),
            event: "READ",
            actor_id: Some(AccountId(Uuid::from_u128(2))),
            relation: Some("STAFF"),
            category: Some("LEARNING_RECORD"),
            course_id: Some(CourseId(Uuid::from_u128(3))),
            case_id: None,
            client: Some("TOKEN"),
            credential_id: Some(Uuid::from_u128(4)),
            network: Some("203.0.113.0/24"),
            request_id: Some("a-request"),
            detail: None,
        };
        let key = SecretKey::from_text("a secret key for nothing but tests").unwrap();
        let mut hasher = RowHasher::new(&key);
        for _ in 0..2 {
            let hash = crate::accounts::secret::hex(&hasher.hash(&row));
            assert_eq!(hash, "d72faf96d1cb08924074417d543f128e98f71d7771af6bdc9175f95db6437db5");
        }
    }
}
