//! One text per statement, with named fragments where the two dialects differ, and the values that
//! travel differently.

use sqlx::{
    Database, Decode, Encode, Postgres, Sqlite, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef},
    sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef},
};
use uuid::Uuid;

use super::Backend;

/// A statement in both dialects. Made by [`statements!`].
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    /// The constant's name, for the test that prepares every statement.
    pub name: &'static str,
    /// For SQLite.
    pub lite: &'static str,
    /// For PostgreSQL.
    pub pg: &'static str,
}

impl Sql {
    pub(crate) fn text<L, P>(&self, backend: &Backend<L, P>) -> &'static str {
        match backend {
            Backend::Lite(_) => self.lite,
            Backend::Pg(_) => self.pg,
        }
    }
}

/// Declares statements: `NAME { "SELECT … WHERE id " [any_uuid 1] "…" }`. Fragments:
///
/// | fragment | meaning |
/// |---|---|
/// | `[any_uuid n]` | `… IN` the ids of parameter *n*, a [`Uuids`] |
/// | `[any_text n]` | `… IN` the texts of parameter *n*, a [`Texts`] |
/// | `[uuids n]` | a table with one column `key`: the ids of parameter *n* |
/// | `[pairs n]` | a table with columns `owner` and `key`: the pairs of parameter *n*, a [`Pairs`] |
/// | `[rows n]` | a table with one column `value`: the rows of parameter *n*, a [`Rows`]; with `[id k]`, `[int k]` and `[text k]` for a row's values, from 0 |
/// | `[page KEYS …]` | a page of each of many lists, see below |
/// | `[shared!]` | the text of the macro `shared`, for what several statements say |
/// | `[for_update]` | lock the row until the transaction ends (SQLite's writer is alone anyhow) |
/// | `[lite "…"]`, `[pg "…"]` | this text in one dialect only |
///
/// `[page (KEYS) "columns" from "table" owned "t.… = k.…" where "i.… = k.…" by "time" "id" (">" "ASC")]`
/// reads, for each of the keys `k` of parameter 1, the rows beyond the key in parameters 2 and 3, at
/// most as many as parameter 4 says. Each list costs what its page costs, however long it is.
///
/// On SQLite `CROSS JOIN` says that what stands before it comes first. Where a table is believed to be short, because nobody has
/// counted since it was, its planner would else read all of it.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident { $($part:tt)+ })+) => {
        $(
            $(#[$doc])*
            const $name: $crate::db::Sql = $crate::db::Sql {
                name: stringify!($name),
                lite: concat!($($crate::db::dialect::lite!($part)),+),
                pg: concat!($($crate::db::dialect::pg!($part)),+),
            };
        )+
        /// Every statement of this store, for the test that prepares them all on both databases.
        pub(crate) const STATEMENTS: &[$crate::db::Sql] = &[$($name),+];
    };
}

macro_rules! lite {
    ($text:literal) => { $text };
    ([any_uuid $n:literal]) => { concat!("IN (SELECT unhex(value) FROM json_each($", $n, "))") };
    ([any_text $n:literal]) => { concat!("IN (SELECT value FROM json_each($", $n, "))") };
    ([uuids $n:literal]) => { concat!("(SELECT unhex(value) AS key FROM json_each($", $n, "))") };
    ([pairs $n:literal]) => {
        concat!("(SELECT unhex(substr(value, 1, 32)) AS owner, unhex(substr(value, 33)) AS key FROM json_each($", $n, "))")
    };
    ([page ($keys:tt) $columns:literal from $table:literal owned $owned:literal where $where:literal by $time:literal $id:literal ($op:literal $dir:literal)]) => {
        // SQLite has no LATERAL, but a table of JSON takes what stands to its left. With `t.id IN (SELECT …)` it is for its planner to say
        // what comes first, and by the statistics of a small school that was each row of the table, with the page read anew for each.
        concat!(
            "SELECT ", $columns, " FROM ", $crate::db::dialect::lite!([$keys 1]),
            " k CROSS JOIN json_each((SELECT json_group_array(hex(p.", $id, ")) FROM (SELECT i.", $id, " FROM ", $table, " i WHERE ",
            $where, " AND (i.", $time, ", i.", $id, ") ", $op, " ($2, $3) ORDER BY i.", $time, " ", $dir, ", i.", $id, " ", $dir,
            " LIMIT $4) p)) j CROSS JOIN ", $table, " t ON ", $owned, " AND t.", $id, " = unhex(j.value)",
            " ORDER BY t.", $time, " ", $dir, ", t.", $id, " ", $dir
        )
    };
    // Rows are arrays: with `json_each` each is written as text, and read again. 300 rows of 13 values take half the time so.
    ([rows $n:literal]) => { concat!("jsonb_each($", $n, ")") };
    ([id $k:literal]) => { concat!("unhex(value ->> ", $k, ", '-')") };
    ([int $k:literal]) => { concat!("(value ->> ", $k, ")") };
    ([text $k:literal]) => { concat!("(value ->> ", $k, ")") };
    ([$shared:ident !]) => { $shared!() };
    ([for_update]) => { "" };
    ([lite $text:literal]) => { $text };
    ([pg $text:literal]) => { "" };
}

macro_rules! pg {
    ($text:literal) => { $text };
    ([any_uuid $n:literal]) => { concat!("= ANY($", $n, "::uuid[])") };
    ([any_text $n:literal]) => { concat!("= ANY($", $n, "::text[])") };
    ([uuids $n:literal]) => { concat!("(SELECT unnest($", $n, "::uuid[]) AS key)") };
    ([pairs $n:literal]) => {
        // Of `unnest` PostgreSQL expects ten rows before it knows the array, of `generate_series` a thousand: then it would rather
        // read a whole table, and makes a new plan for each use to find that it need not.
        concat!(
            "(SELECT owner, key FROM unnest(($", $n, "::uuid[])[:cardinality($", $n, "::uuid[]) / 2], ($", $n,
            "::uuid[])[cardinality($", $n, "::uuid[]) / 2 + 1:]) p(owner, key))"
        )
    };
    ([page ($keys:tt) $columns:literal from $table:literal owned $owned:literal where $where:literal by $time:literal $id:literal ($op:literal $dir:literal)]) => {
        concat!(
            "SELECT ", $columns, " FROM ", $crate::db::dialect::pg!([$keys 1]), " k CROSS JOIN LATERAL (SELECT * FROM ", $table,
            " i WHERE ", $where, " AND (i.", $time, ", i.", $id, ") ", $op,
            " ($2, $3) ORDER BY i.", $time, " ", $dir, ", i.", $id, " ", $dir, " LIMIT $4) t",
            " ORDER BY t.", $time, " ", $dir, ", t.", $id, " ", $dir
        )
    };
    ([rows $n:literal]) => { concat!("json_array_elements($", $n, "::json)") };
    ([id $k:literal]) => { concat!("(value ->> ", $k, ")::uuid") };
    ([int $k:literal]) => { concat!("(value ->> ", $k, ")::bigint") };
    ([text $k:literal]) => { concat!("(value ->> ", $k, ")") };
    ([$shared:ident !]) => { $shared!() };
    ([for_update]) => { " FOR UPDATE" };
    ([lite $text:literal]) => { "" };
    ([pg $text:literal]) => { $text };
}

/// Runs one body on whichever database it is: `on!(db.reader(), c => query_as(sql).fetch_all(c).await)`.
/// The body is compiled, and so type-checked, once for each.
macro_rules! on {
    ($target:expr, $c:ident => $body:expr) => {
        match $target {
            $crate::db::Backend::Lite($c) => $body,
            $crate::db::Backend::Pg($c) => $body,
        }
    };
}

pub(crate) use {lite, on, pg, statements};

/// Ids as one parameter: an array on PostgreSQL, a JSON list of hexadecimal texts on SQLite.
pub(crate) struct Uuids(Vec<Uuid>);

impl Uuids {
    pub(crate) fn new<T: Copy + Into<Uuid>>(ids: impl IntoIterator<Item = T>) -> Self {
        Self(ids.into_iter().map(Into::into).collect())
    }
}

impl Type<Postgres> for Uuids {
    fn type_info() -> PgTypeInfo {
        <Vec<Uuid> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Uuids {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <Vec<Uuid> as Encode<Postgres>>::encode_by_ref(&self.0, buffer)
    }
}

impl Type<Sqlite> for Uuids {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Uuids {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        let mut json = String::with_capacity(2 + 35 * self.0.len());
        json.push('[');
        for (at, id) in self.0.iter().enumerate() {
            if at > 0 {
                json.push(',');
            }
            json.push('"');
            json.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
            json.push('"');
        }
        json.push(']');
        Encode::<Sqlite>::encode(json, buffer)
    }
}

/// Pairs of ids as one parameter: on PostgreSQL an array of twice the length, first all owners and then all keys, on SQLite a
/// JSON list of hexadecimal texts of twice the length.
pub(crate) struct Pairs(Vec<(Uuid, Uuid)>);

impl Pairs {
    pub(crate) fn new<A: Into<Uuid>, B: Into<Uuid>>(pairs: impl IntoIterator<Item = (A, B)>) -> Self {
        Self(pairs.into_iter().map(|(owner, key)| (owner.into(), key.into())).collect())
    }
}

impl Type<Postgres> for Pairs {
    fn type_info() -> PgTypeInfo {
        <Vec<Uuid> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Pairs {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let (owners, keys) = (self.0.iter().map(|pair| pair.0), self.0.iter().map(|pair| pair.1));
        <Vec<Uuid> as Encode<Postgres>>::encode(owners.chain(keys).collect(), buffer)
    }
}

impl Type<Sqlite> for Pairs {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Pairs {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        let pairs: Vec<_> = self.0.iter().map(|(owner, key)| format!("{}{}", owner.simple(), key.simple())).collect();
        Encode::<Sqlite>::encode(serde_json::to_string(&pairs)?, buffer)
    }
}

/// Rows of ids, numbers and texts as one parameter, for a statement that reads or writes many at once: JSON on both databases,
/// a list of lists. A tuple of values is a row.
pub(crate) struct Rows(String);

impl Rows {
    /// # Errors
    /// None with tuples of ids, numbers and texts.
    pub(crate) fn new<T: serde::Serialize>(rows: &[T]) -> Result<Self, super::DbError> {
        serde_json::to_string(rows).map(Self).map_err(|error| super::DbError::Constraint(error.to_string()))
    }
}

impl<DB: Database> Type<DB> for Rows
where
    String: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <String as Type<DB>>::type_info()
    }
}

impl<'q, DB: Database> Encode<'q, DB> for Rows
where
    String: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut <DB as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <String as Encode<'q, DB>>::encode(self.0.clone(), buffer)
    }
}

/// Texts as one parameter: an array on PostgreSQL, a JSON list on SQLite.
pub(crate) struct Texts(pub(crate) Vec<String>);

impl Type<Postgres> for Texts {
    fn type_info() -> PgTypeInfo {
        <Vec<String> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Texts {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <Vec<String> as Encode<Postgres>>::encode_by_ref(&self.0, buffer)
    }
}

impl Type<Sqlite> for Texts {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Texts {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(serde_json::to_string(&self.0)?, buffer)
    }
}

/// A list in a column: what `array_agg` makes on PostgreSQL, and `json_group_array` on SQLite (of ids as `hex`).
pub(crate) struct Listed<T>(pub(crate) Vec<T>);

impl<T> Type<Postgres> for Listed<T>
where
    Vec<T>: Type<Postgres>,
{
    fn type_info() -> PgTypeInfo {
        <Vec<T> as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <Vec<T> as Type<Postgres>>::compatible(ty)
    }
}

impl<'r, T> Decode<'r, Postgres> for Listed<T>
where
    Vec<T>: Decode<'r, Postgres>,
{
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        <Vec<T> as Decode<'r, Postgres>>::decode(value).map(Self)
    }
}

impl<T> Type<Sqlite> for Listed<T> {
    fn type_info() -> SqliteTypeInfo {
        <String as Type<Sqlite>>::type_info()
    }
}

impl<T: serde::de::DeserializeOwned> Decode<'_, Sqlite> for Listed<T> {
    fn decode(value: SqliteValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(Self(serde_json::from_str(<&str as Decode<Sqlite>>::decode(value)?)?))
    }
}

/// A plain enumeration that is stored as its name.
pub(crate) trait Stored: Copy + Sized + Send + 'static {
    /// The stored name.
    fn name(self) -> &'static str;
    /// The value of a stored name.
    fn from_name(name: &str) -> Option<Self>;
}

/// A column that holds the name of a [`Stored`] value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<T>(pub(crate) T);

impl<DB: Database, T: Stored> Type<DB> for Text<T>
where
    String: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <String as Type<DB>>::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        <String as Type<DB>>::compatible(ty)
    }
}

impl<'q, DB: Database, T: Stored> Encode<'q, DB> for Text<T>
where
    String: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut <DB as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <String as Encode<'q, DB>>::encode(self.0.name().to_owned(), buffer)
    }
}

impl<'r, DB: Database, T: Stored> Decode<'r, DB> for Text<T>
where
    &'r str: Decode<'r, DB>,
{
    fn decode(value: <DB as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let name = <&'r str as Decode<'r, DB>>::decode(value)?;
        T::from_name(name)
            .map(Text)
            .ok_or_else(|| format!("{name:?} is not a known {}", std::any::type_name::<T>()).into())
    }
}

/// Declares a plain enumeration with the names under which it is stored and shown.
macro_rules! stored_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[doc = $vdoc:literal])+ $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $vdoc])+ $variant),+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name it is stored and shown under.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// What it means, for people: what its documentation says.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($vdoc),+)),+ }
            }
        }

        impl $crate::db::Stored for $name {
            fn name(self) -> &'static str {
                self.as_str()
            }

            fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            /// Letters may be of either case.
            fn from_str(text: &str) -> Result<Self, String> {
                <Self as $crate::db::Stored>::from_name(&text.trim().to_ascii_uppercase()).ok_or_else(|| {
                    format!("{text:?} is none of {}", [$($text),+].join(", "))
                })
            }
        }
    };
}

pub(crate) use stored_enum;
