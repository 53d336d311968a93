-- Searching forums, what was read in them, and private messages.
-- By learner: thread_reads, forum_reads, inboxes, message_quotas (an account that teaches has rows, too).
-- By course: forum_words_keys, conversations, conversation_members, messages, message_bodies.

-- Searching. Here an index of SQLite's own (FTS5), kept by triggers; on PostgreSQL generated columns of the same words.
-- What was removed is not found by it. Titles and posts are known to it by a number, since the row ids of `posts` may change when the
-- file is compacted.
CREATE TABLE forum_words_keys (
    key        INTEGER PRIMARY KEY,
    course_id  BLOB    NOT NULL,
    subject_id BLOB    NOT NULL, -- of a thread, whose title it is, or of a post
    is_title   INTEGER NOT NULL CHECK (is_title IN (0, 1)),
    UNIQUE (course_id, subject_id, is_title)
) STRICT;
CREATE VIRTUAL TABLE forum_words USING fts5 (
    course, words, content = '', contentless_delete = 1, prefix = '2 3', tokenize = "unicode61 remove_diacritics 2"
);
INSERT INTO forum_words_keys (course_id, subject_id, is_title) SELECT course_id, id, 1 FROM threads ORDER BY created_at, id;
INSERT INTO forum_words_keys (course_id, subject_id, is_title) SELECT course_id, id, 0 FROM posts ORDER BY created_at, id;
INSERT INTO forum_words (rowid, course, words)
    SELECT k.key, hex(k.course_id), t.title FROM forum_words_keys k JOIN threads t ON t.course_id = k.course_id AND t.id = k.subject_id
    WHERE k.is_title = 1;
INSERT INTO forum_words (rowid, course, words)
    SELECT k.key, hex(k.course_id), p.body FROM forum_words_keys k JOIN posts p ON p.course_id = k.course_id AND p.id = k.subject_id
    WHERE k.is_title = 0 AND p.removed_at IS NULL;

CREATE TRIGGER thread_words_added AFTER INSERT ON threads BEGIN
    INSERT INTO forum_words_keys (course_id, subject_id, is_title) VALUES (new.course_id, new.id, 1);
    INSERT INTO forum_words (rowid, course, words)
        SELECT key, hex(new.course_id), new.title FROM forum_words_keys
        WHERE course_id = new.course_id AND subject_id = new.id AND is_title = 1;
END;
CREATE TRIGGER thread_words_changed AFTER UPDATE OF title ON threads BEGIN
    DELETE FROM forum_words WHERE rowid =
        (SELECT key FROM forum_words_keys WHERE course_id = new.course_id AND subject_id = new.id AND is_title = 1);
    INSERT INTO forum_words (rowid, course, words)
        SELECT key, hex(new.course_id), new.title FROM forum_words_keys
        WHERE course_id = new.course_id AND subject_id = new.id AND is_title = 1;
END;
CREATE TRIGGER thread_words_removed AFTER DELETE ON threads BEGIN
    DELETE FROM forum_words WHERE rowid =
        (SELECT key FROM forum_words_keys WHERE course_id = old.course_id AND subject_id = old.id AND is_title = 1);
    DELETE FROM forum_words_keys WHERE course_id = old.course_id AND subject_id = old.id AND is_title = 1;
END;
CREATE TRIGGER post_words_added AFTER INSERT ON posts BEGIN
    INSERT INTO forum_words_keys (course_id, subject_id, is_title) VALUES (new.course_id, new.id, 0);
    INSERT INTO forum_words (rowid, course, words)
        SELECT key, hex(new.course_id), new.body FROM forum_words_keys
        WHERE course_id = new.course_id AND subject_id = new.id AND is_title = 0 AND new.removed_at IS NULL;
END;
CREATE TRIGGER post_words_changed AFTER UPDATE OF body, removed_at ON posts BEGIN
    DELETE FROM forum_words WHERE rowid =
        (SELECT key FROM forum_words_keys WHERE course_id = new.course_id AND subject_id = new.id AND is_title = 0);
    INSERT INTO forum_words (rowid, course, words)
        SELECT key, hex(new.course_id), new.body FROM forum_words_keys
        WHERE course_id = new.course_id AND subject_id = new.id AND is_title = 0 AND new.removed_at IS NULL;
END;
CREATE TRIGGER post_words_removed AFTER DELETE ON posts BEGIN
    DELETE FROM forum_words WHERE rowid =
        (SELECT key FROM forum_words_keys WHERE course_id = old.course_id AND subject_id = old.id AND is_title = 0);
    DELETE FROM forum_words_keys WHERE course_id = old.course_id AND subject_id = old.id AND is_title = 0;
END;

-- What was read. A row comes with the first look, one for a thread and none for its posts. --------

CREATE TABLE thread_reads (
    learner_id BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id  BLOB    NOT NULL,
    thread_id  BLOB    NOT NULL,
    read_at    INTEGER NOT NULL, -- the time of the last post that she has read, and the post
    post_id    BLOB    NOT NULL,
    PRIMARY KEY (learner_id, course_id, thread_id)
) STRICT, WITHOUT ROWID;
-- Up to when all of a forum counts as read.
CREATE TABLE forum_reads (
    learner_id BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id  BLOB    NOT NULL,
    read_at    INTEGER NOT NULL,
    PRIMARY KEY (learner_id, course_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX threads_to_read ON threads (course_id, last_post_at, id);
CREATE INDEX threads_merged_for_reads ON threads (course_id, merged_into) WHERE merged_into IS NOT NULL;

-- Private messages between a learner and staff of a course. ---------------------------------------

CREATE TABLE conversations (
    course_id       BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    learner_id      BLOB    NOT NULL,
    subject         TEXT    NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    created_at      INTEGER NOT NULL,
    last_message_at INTEGER NOT NULL,
    PRIMARY KEY (course_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE conversation_members (
    course_id       BLOB    NOT NULL,
    conversation_id BLOB    NOT NULL,
    account_id      BLOB    NOT NULL,
    part            TEXT    NOT NULL CHECK (part IN ('LEARNER', 'STAFF')),
    joined_at       INTEGER NOT NULL,
    sees_from       INTEGER NOT NULL, -- she sees the messages from this instant on
    PRIMARY KEY (course_id, conversation_id, account_id),
    FOREIGN KEY (course_id, conversation_id) REFERENCES conversations (course_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE messages (
    course_id       BLOB    NOT NULL,
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    conversation_id BLOB    NOT NULL,
    author_id       BLOB    NOT NULL,
    created_at      INTEGER NOT NULL,
    edited_at       INTEGER,
    deleted_at      INTEGER,
    PRIMARY KEY (course_id, id),
    FOREIGN KEY (course_id, conversation_id) REFERENCES conversations (course_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_of_conversation ON messages (course_id, conversation_id, created_at, id);
-- What is said stands by itself, so that it can be erased by itself: deleting a message does so at once.
CREATE TABLE message_bodies (
    course_id  BLOB NOT NULL,
    message_id BLOB NOT NULL,
    body       TEXT NOT NULL CHECK (length(body) BETWEEN 1 AND 20000),
    PRIMARY KEY (course_id, message_id),
    FOREIGN KEY (course_id, message_id) REFERENCES messages (course_id, id) ON DELETE CASCADE
) STRICT;
-- Whose conversations they are, for her list; with what she has read and whether she wants to hear of it.
CREATE TABLE inboxes (
    person_id       BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id       BLOB    NOT NULL,
    conversation_id BLOB    NOT NULL,
    part            TEXT    NOT NULL CHECK (part IN ('LEARNER', 'STAFF')), -- of staff only while she is that
    last_message_at INTEGER NOT NULL,
    read_at         INTEGER NOT NULL, -- the time of the last message that she has read, and the message
    read_id         BLOB    NOT NULL,
    muted_at        INTEGER,
    PRIMARY KEY (person_id, course_id, conversation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX inboxes_by_time ON inboxes (person_id, last_message_at, conversation_id);
-- How many messages somebody has sent in the hour that began at this instant.
CREATE TABLE message_quotas (
    person_id BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    since     INTEGER NOT NULL,
    sent      INTEGER NOT NULL CHECK (sent >= 0)
) STRICT, WITHOUT ROWID;
