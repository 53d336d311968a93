//! The tables of conversations, whose keys start with the course, and of inboxes, whose keys start with the person.

use uuid::Uuid;

use super::model::{Conversation, Member, Message, Part, State};
use crate::{
    db::{
        Db, DbError, Pairs, Text, Texts, Tx, Uuids, on,
        page::{PageRequest, TimeKey},
        statements,
    },
    ids::{AccountId, ConversationId, CourseId, MessageId},
    time::Timestamp,
};

/// A conversation, as it is found.
pub(crate) type Key = (CourseId, ConversationId);

statements! {
    CONVERSATIONS {
        "SELECT c.course_id, c.id, c.learner_id, c.subject, c.created_at, c.last_message_at
         FROM " [pairs 1] " k JOIN conversations c ON c.course_id = k.owner AND c.id = k.key"
    }
    MEMBERS {
        "SELECT m.course_id, m.conversation_id, m.account_id, m.part, m.joined_at, m.sees_from
         FROM " [pairs 1] " k JOIN conversation_members m ON m.course_id = k.owner AND m.conversation_id = k.key
         ORDER BY m.joined_at, m.part, m.account_id"
    }
    MESSAGES {
        "SELECT t.course_id, t.id, t.conversation_id, t.author_id, t.created_at, t.edited_at, t.deleted_at, b.body
         FROM " [pairs 1] " k JOIN messages t ON t.course_id = k.owner AND t.id = k.key
         LEFT JOIN message_bodies b ON b.course_id = t.course_id AND b.message_id = t.id"
    }
    /// Of each conversation what the person (5) sees.
    MESSAGES_FORWARD {
        [page (pairs) "t.course_id, t.id, t.conversation_id, t.author_id, t.created_at, t.edited_at, t.deleted_at,
           (SELECT b.body FROM message_bodies b WHERE b.course_id = t.course_id AND b.message_id = t.id) AS body"
         from "messages" owned "t.course_id = k.owner"
         where "i.course_id = k.owner AND i.conversation_id = k.key AND i.created_at >= (SELECT m.sees_from FROM conversation_members m
           WHERE m.course_id = k.owner AND m.conversation_id = k.key AND m.account_id = $5)"
         by "created_at" "id" (">" "ASC")]
    }
    MESSAGES_BACKWARD {
        [page (pairs) "t.course_id, t.id, t.conversation_id, t.author_id, t.created_at, t.edited_at, t.deleted_at,
           (SELECT b.body FROM message_bodies b WHERE b.course_id = t.course_id AND b.message_id = t.id) AS body"
         from "messages" owned "t.course_id = k.owner"
         where "i.course_id = k.owner AND i.conversation_id = k.key AND i.created_at >= (SELECT m.sees_from FROM conversation_members m
           WHERE m.course_id = k.owner AND m.conversation_id = k.key AND m.account_id = $5)"
         by "created_at" "id" ("<" "DESC")]
    }
    /// Somebody's conversations; those that she has as staff only if they are about one of the courses (5).
    INBOX_FORWARD {
        "SELECT course_id, conversation_id, last_message_at FROM inboxes
         WHERE person_id = $1 AND (last_message_at, conversation_id) < ($2, $3) AND (part = 'LEARNER' OR course_id " [any_uuid 5] ")
         ORDER BY last_message_at DESC, conversation_id DESC LIMIT $4"
    }
    INBOX_BACKWARD {
        "SELECT course_id, conversation_id, last_message_at FROM inboxes
         WHERE person_id = $1 AND (last_message_at, conversation_id) > ($2, $3) AND (part = 'LEARNER' OR course_id " [any_uuid 5] ")
         ORDER BY last_message_at, conversation_id LIMIT $4"
    }
    STATES {
        "SELECT i.course_id, i.conversation_id, i.read_at, i.read_id, i.muted_at FROM " [pairs 2] " k
         JOIN inboxes i ON i.person_id = $1 AND i.course_id = k.owner AND i.conversation_id = k.key"
    }
    /// How many messages of others there are beyond a mark: course, conversation, message and time of each in one text (1). Of each
    /// conversation 200 messages are looked at.
    COUNT_BEYOND {
        "SELECT k.course_id, k.conversation_id, (SELECT COUNT(*) FROM (
             SELECT t.author_id, t.deleted_at FROM messages t
             WHERE t.course_id = k.course_id AND t.conversation_id = k.conversation_id AND (t.created_at, t.id) > (k.at, k.message_id)
               AND t.created_at >= m.sees_from
             ORDER BY t.created_at, t.id LIMIT 200) n
           WHERE n.author_id <> $2 AND n.deleted_at IS NULL) AS unread
         FROM ("
        [lite "SELECT unhex(substr(value, 1, 32)) AS course_id, unhex(substr(value, 33, 32)) AS conversation_id,
             unhex(substr(value, 65, 32)) AS message_id, CAST(substr(value, 97) AS INTEGER) AS at FROM json_each($1)"]
        [pg "SELECT substr(value, 1, 32)::uuid AS course_id, substr(value, 33, 32)::uuid AS conversation_id,
             substr(value, 65, 32)::uuid AS message_id, substr(value, 97)::bigint AS at FROM unnest($1::text[]) value"]
        ") k JOIN conversation_members m
           ON m.course_id = k.course_id AND m.conversation_id = k.conversation_id AND m.account_id = $2"
    }
    LAST_MESSAGE {
        "SELECT created_at, id FROM messages WHERE course_id = $1 AND conversation_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1"
    }
    /// Since when she has left the course; null as long as she takes it.
    LEFT_AT { "SELECT left_at FROM enrolments WHERE learner_id = $1 AND course_id = $2" }
    /// Which of the people (2) are staff of the course.
    STAFF_AMONG { "SELECT account_id FROM course_staff WHERE course_id = $1 AND account_id " [any_uuid 2] }
    INSERT_CONVERSATION {
        "INSERT INTO conversations (course_id, id, learner_id, subject, created_at, last_message_at) VALUES ($1, $2, $3, $4, $5, $5)"
    }
    INSERT_MEMBER {
        "INSERT INTO conversation_members (course_id, conversation_id, account_id, part, joined_at, sees_from) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (course_id, conversation_id, account_id) DO NOTHING"
    }
    INSERT_INBOX {
        "INSERT INTO inboxes (person_id, course_id, conversation_id, part, last_message_at, read_at, read_id) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (person_id, course_id, conversation_id) DO NOTHING"
    }
    INSERT_MESSAGE {
        "INSERT INTO messages (course_id, id, conversation_id, author_id, created_at) VALUES ($1, $2, $3, $4, $5)"
    }
    INSERT_BODY { "INSERT INTO message_bodies (course_id, message_id, body) VALUES ($1, $2, $3)" }
    TOUCH_CONVERSATION { "UPDATE conversations SET last_message_at = $3 WHERE course_id = $1 AND id = $2" }
    TOUCH_INBOXES {
        "UPDATE inboxes SET last_message_at = $3 WHERE course_id = $1 AND conversation_id = $2 AND person_id " [any_uuid 4]
    }
    /// Who of the people (3) want to hear of the conversation.
    HEARING {
        "SELECT person_id FROM inboxes WHERE course_id = $1 AND conversation_id = $2 AND person_id " [any_uuid 3] " AND muted_at IS NULL"
    }
    MARK_READ {
        "UPDATE inboxes SET read_at = $4, read_id = $5
         WHERE person_id = $1 AND course_id = $2 AND conversation_id = $3 AND (read_at, read_id) < ($4, $5)"
    }
    MUTE { "UPDATE inboxes SET muted_at = $4 WHERE person_id = $1 AND course_id = $2 AND conversation_id = $3" }
    EDIT {
        "UPDATE messages SET edited_at = $5 WHERE course_id = $1 AND id = $2 AND author_id = $3 AND deleted_at IS NULL AND created_at > $4"
    }
    EDIT_BODY { "UPDATE message_bodies SET body = $3 WHERE course_id = $1 AND message_id = $2" }
    DELETE { "UPDATE messages SET deleted_at = $4 WHERE course_id = $1 AND id = $2 AND author_id = $3 AND deleted_at IS NULL" }
    DELETE_BODY { "DELETE FROM message_bodies WHERE course_id = $1 AND message_id = $2" }
    /// One more in the hour that runs, or the first of a new one.
    TAKE_QUOTA {
        "INSERT INTO message_quotas (person_id, since, sent) VALUES ($1, $2, 1)
         ON CONFLICT (person_id) DO UPDATE SET
           sent = CASE WHEN message_quotas.since <= $3 THEN 1 ELSE message_quotas.sent + 1 END,
           since = CASE WHEN message_quotas.since <= $3 THEN excluded.since ELSE message_quotas.since END
         RETURNING since, sent"
    }
}

#[derive(sqlx::FromRow)]
struct ConversationRow {
    course_id: CourseId,
    id: ConversationId,
    learner_id: AccountId,
    subject: String,
    created_at: Timestamp,
    last_message_at: Timestamp,
}

impl From<ConversationRow> for Conversation {
    fn from(row: ConversationRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            learner_id: row.learner_id,
            subject: row.subject.into(),
            created_at: row.created_at,
            last_message_at: row.last_message_at,
        }
    }
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    course_id: CourseId,
    conversation_id: ConversationId,
    account_id: AccountId,
    part: Text<Part>,
    joined_at: Timestamp,
    sees_from: Timestamp,
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    course_id: CourseId,
    id: MessageId,
    conversation_id: ConversationId,
    author_id: AccountId,
    created_at: Timestamp,
    edited_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
    body: Option<String>,
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.id,
            course_id: row.course_id,
            conversation_id: row.conversation_id,
            author_id: row.author_id,
            created_at: row.created_at,
            edited_at: row.edited_at,
            deleted_at: row.deleted_at,
            body: row.body.filter(|_| row.deleted_at.is_none()).into(),
        }
    }
}

pub(crate) async fn conversations(db: &Db, keys: &[Key]) -> Result<Vec<Conversation>, DbError> {
    let (sql, keys) = (db.sql(&CONVERSATIONS), Pairs::new(keys.iter().copied()));
    let rows: Vec<ConversationRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Conversation::from).collect())
}

/// Who takes part in conversations, in the order in which they came to it.
pub(crate) async fn members(db: &Db, keys: &[Key]) -> Result<Vec<(Key, Member)>, DbError> {
    let (sql, keys) = (db.sql(&MEMBERS), Pairs::new(keys.iter().copied()));
    let rows: Vec<MemberRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    let member = |row: MemberRow| {
        let member =
            Member { account: row.account_id, part: row.part.0, joined_at: row.joined_at, sees_from: row.sees_from };
        ((row.course_id, row.conversation_id), member)
    };
    Ok(rows.into_iter().map(member).collect())
}

pub(crate) async fn messages(db: &Db, keys: &[(CourseId, MessageId)]) -> Result<Vec<Message>, DbError> {
    let (sql, keys) = (db.sql(&MESSAGES), Pairs::new(keys.iter().copied()));
    let rows: Vec<MessageRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(keys).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Message::from).collect())
}

/// For each conversation the rows of a page of the messages in it that the person sees, oldest first, as they were read.
pub(crate) async fn message_pages(
    db: &Db,
    person: AccountId,
    conversations: &[Key],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<Message>, DbError> {
    let sql = db.sql(if request.is_forward() { &MESSAGES_FORWARD } else { &MESSAGES_BACKWARD });
    let ((time, id), keys) = (request.start(true), Pairs::new(conversations.iter().copied()));
    let rows: Vec<MessageRow> = on!(db.reader(), c => sqlx::query_as(sql)
        .bind(keys).bind(time).bind(id).bind(request.fetch()).bind(person).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Message::from).collect())
}

/// The rows of a page of somebody's conversations with the times of their last messages, latest first, as they were read: of those
/// that she has as staff, the ones about `teaches`.
pub(crate) async fn inbox_page(
    db: &Db,
    person: AccountId,
    teaches: &[CourseId],
    request: &PageRequest<TimeKey>,
) -> Result<Vec<(CourseId, ConversationId, Timestamp)>, DbError> {
    let sql = db.sql(if request.is_forward() { &INBOX_FORWARD } else { &INBOX_BACKWARD });
    let ((time, id), teaches) = (request.start(false), Uuids::new(teaches.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql)
        .bind(person).bind(time).bind(id).bind(request.fetch()).bind(teaches).fetch_all(c).await)?)
}

#[derive(sqlx::FromRow)]
struct StateRow {
    course_id: CourseId,
    conversation_id: ConversationId,
    read_at: Timestamp,
    read_id: Uuid,
    muted_at: Option<Timestamp>,
}

/// What conversations are to somebody.
pub(crate) async fn states(db: &Db, person: AccountId, keys: &[Key]) -> Result<Vec<(Key, State)>, DbError> {
    let (sql, keys) = (db.sql(&STATES), Pairs::new(keys.iter().copied()));
    let rows: Vec<StateRow> = on!(db.reader(), c => sqlx::query_as(sql).bind(person).bind(keys).fetch_all(c).await)?;
    let state = |row: StateRow| {
        let state = State { read_up_to: (row.read_at, row.read_id), muted_at: row.muted_at };
        ((row.course_id, row.conversation_id), state)
    };
    Ok(rows.into_iter().map(state).collect())
}

/// How many messages of others somebody has not read.
pub(crate) async fn count_beyond(
    db: &Db,
    person: AccountId,
    states: &[(Key, State)],
) -> Result<Vec<(CourseId, ConversationId, i64)>, DbError> {
    let texts = states.iter().map(|((course, conversation), state)| {
        let (at, id) = state.read_up_to;
        format!("{}{}{}{}", course.0.simple(), conversation.0.simple(), id.simple(), at.0)
    });
    let (sql, texts) = (db.sql(&COUNT_BEYOND), Texts(texts.collect()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(texts).bind(person).fetch_all(c).await)?)
}

pub(super) async fn last_message(db: &Db, (course, id): Key) -> Result<Option<(Timestamp, MessageId)>, DbError> {
    let sql = db.sql(&LAST_MESSAGE);
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(course).bind(id).fetch_optional(c).await)?)
}

/// Since when a learner has left a course, `Some(None)` as long as she takes it; `None` if she never took it.
pub(super) async fn left_at(
    db: &Db,
    learner: AccountId,
    course: CourseId,
) -> Result<Option<Option<Timestamp>>, DbError> {
    let sql = db.sql(&LEFT_AT);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(learner).bind(course).fetch_optional(c).await)?)
}

pub(super) async fn staff_among(db: &Db, course: CourseId, people: &[AccountId]) -> Result<Vec<AccountId>, DbError> {
    let (sql, people) = (db.sql(&STAFF_AMONG), Uuids::new(people.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(course).bind(people).fetch_all(c).await)?)
}

pub(super) async fn insert_conversation(
    tx: &mut Tx,
    (course, id): Key,
    learner: AccountId,
    subject: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT_CONVERSATION);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(learner).bind(subject).bind(now).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Lets somebody take part, with a place in her inbox; whether she did not before.
pub(super) async fn insert_member(
    tx: &mut Tx,
    (course, id): Key,
    member: &Member,
    (read_at, read_id): (Timestamp, Uuid),
) -> Result<bool, DbError> {
    let (account, part, joined_at) = (member.account, Text(member.part), member.joined_at);
    let sql = tx.sql(&INSERT_MEMBER);
    let is_new = on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(account).bind(part).bind(joined_at)
        .bind(member.sees_from).execute(c).await.map(|done| done.rows_affected() > 0))?;
    let sql = tx.sql(&INSERT_INBOX);
    on!(tx.conn(), c => sqlx::query(sql).bind(account).bind(course).bind(id).bind(part).bind(joined_at)
        .bind(read_at).bind(read_id).execute(c).await.map(|_| ()))?;
    Ok(is_new)
}

/// Writes a message, and moves the conversation to the top of the inboxes of those who take part.
pub(super) async fn insert_message(
    tx: &mut Tx,
    (course, conversation): Key,
    (id, author, now): (MessageId, AccountId, Timestamp),
    body: &str,
    members: &[AccountId],
) -> Result<(), DbError> {
    // First what everybody who writes here changes: so those who write at once wait for each other here, and nowhere else.
    let sql = tx.sql(&TOUCH_CONVERSATION);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(conversation).bind(now).execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&INSERT_MESSAGE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(conversation).bind(author).bind(now).execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&INSERT_BODY);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(body).execute(c).await.map(|_| ()))?;
    let (sql, members) = (tx.sql(&TOUCH_INBOXES), Uuids::new(members.iter().copied()));
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(conversation).bind(now).bind(members).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Who of the people want to hear of a conversation.
pub(super) async fn hearing(tx: &mut Tx, (course, id): Key, people: &[AccountId]) -> Result<Vec<AccountId>, DbError> {
    let (sql, people) = (tx.sql(&HEARING), Uuids::new(people.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).bind(id).bind(people).fetch_all(c).await)?)
}

pub(super) async fn mark_read(
    db: &Db,
    person: AccountId,
    (course, id): Key,
    (at, message): (Timestamp, MessageId),
) -> Result<(), DbError> {
    let sql = db.sql(&MARK_READ);
    on!(db.writer(), c => sqlx::query(sql).bind(person).bind(course).bind(id).bind(at).bind(message).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(super) async fn mute(
    db: &Db,
    person: AccountId,
    (course, id): Key,
    since: Option<Timestamp>,
) -> Result<(), DbError> {
    let sql = db.sql(&MUTE);
    on!(db.writer(), c => sqlx::query(sql).bind(person).bind(course).bind(id).bind(since).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Changes what a message says, if it is the author's, is there, and was sent after `since`; whether it was.
pub(super) async fn edit(
    tx: &mut Tx,
    (course, id): (CourseId, MessageId),
    author: AccountId,
    (since, now): (Timestamp, Timestamp),
    body: &str,
) -> Result<bool, DbError> {
    let sql = tx.sql(&EDIT);
    let done = on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(author).bind(since).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?;
    if done {
        let sql = tx.sql(&EDIT_BODY);
        on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(body).execute(c).await.map(|_| ()))?;
    }
    Ok(done)
}

/// Deletes what a message says, if it is the author's. Its place stays.
pub(super) async fn delete(
    tx: &mut Tx,
    (course, id): (CourseId, MessageId),
    author: AccountId,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&DELETE);
    let done = on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).bind(author).bind(now)
        .execute(c).await.map(|done| done.rows_affected() > 0))?;
    if done {
        let sql = tx.sql(&DELETE_BODY);
        on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(id).execute(c).await.map(|_| ()))?;
    }
    Ok(())
}

/// Counts one more message of somebody's: since when it is counted, and how many there are with it.
pub(super) async fn take_quota(
    tx: &mut Tx,
    person: AccountId,
    now: Timestamp,
    over: Timestamp,
) -> Result<(Timestamp, i64), DbError> {
    let sql = tx.sql(&TAKE_QUOTA);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(person).bind(now).bind(over).fetch_one(c).await)?)
}
