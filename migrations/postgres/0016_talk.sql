-- Searching forums, what was read in them, and private messages.
-- By learner: thread_reads, forum_reads, inboxes, message_quotas (an account that teaches has rows, too).
-- By course: conversations, conversation_members, messages, message_bodies.

-- Searching. Here generated columns; on SQLite an index of its own, kept by triggers, with the same words.

-- A text with its letters as they are compared: without case and, where they are Latin, without accents. The letters of Latin, Greek
-- and Cyrillic are named, since a database with the locale C knows the case of ASCII only.
CREATE FUNCTION forum_letters(written TEXT) RETURNS TEXT LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE RETURN
    translate(
        lower(normalize(regexp_replace(normalize(written, NFD), '([A-Za-z])[\u0300-\u036f]+', '\1', 'g'), NFC)),
        'ØŁĐÆŒÞÐĦŊŦΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏΪΫςАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҖҚҢҮҰҲҺӘӨ',
        'øłđæœþðħŋŧαβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋσабвгдежзийклмнопрстуфхцчшщъыьэюяѐёђѓєѕіїјљњћќѝўџґғҗқңүұҳһәө'
    );
-- The same, with a space for anything between words.
CREATE FUNCTION forum_words(written TEXT) RETURNS TEXT LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE RETURN
    regexp_replace(
        forum_letters(written),
        '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u2000-\u206f\u2190-\u245f\u2500-\u2bff\u3000-\u303f]+',
        ' ', 'g'
    );
-- The words of a course are told from those of others by one word more, so that a search costs what there is in its course.
CREATE FUNCTION forum_course_word(course UUID) RETURNS TEXT LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE RETURN
    'c' || encode(uuid_send(course), 'hex');

ALTER TABLE threads ADD COLUMN title_words TSVECTOR GENERATED ALWAYS AS
    (to_tsvector('simple', forum_course_word(course_id)) || to_tsvector('simple', forum_words(title))) STORED;
ALTER TABLE posts ADD COLUMN body_words TSVECTOR GENERATED ALWAYS AS
    (CASE WHEN removed_at IS NULL
        THEN to_tsvector('simple', forum_course_word(course_id)) || to_tsvector('simple', forum_words(body)) END) STORED;
CREATE INDEX threads_by_words ON threads USING gin (title_words);
CREATE INDEX posts_by_words ON posts USING gin (body_words);
CREATE INDEX posts_to_search ON posts (course_id, created_at, id);

-- What was read. A row comes with the first look, one for a thread and none for its posts. --------

CREATE TABLE thread_reads (
    learner_id UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id  UUID    NOT NULL,
    thread_id  UUID    NOT NULL,
    read_at    BIGINT NOT NULL, -- the time of the last post that she has read, and the post
    post_id    UUID    NOT NULL,
    PRIMARY KEY (learner_id, course_id, thread_id)
);
-- Up to when all of a forum counts as read.
CREATE TABLE forum_reads (
    learner_id UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id  UUID    NOT NULL,
    read_at    BIGINT NOT NULL,
    PRIMARY KEY (learner_id, course_id)
);
CREATE INDEX threads_to_read ON threads (course_id, last_post_at, id);
CREATE INDEX threads_merged_for_reads ON threads (course_id, merged_into) WHERE merged_into IS NOT NULL;

-- Private messages between a learner and staff of a course. ---------------------------------------

CREATE TABLE conversations (
    course_id       UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id              UUID    NOT NULL,
    learner_id      UUID    NOT NULL,
    subject         TEXT    NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    created_at      BIGINT NOT NULL,
    last_message_at BIGINT NOT NULL,
    PRIMARY KEY (course_id, id)
);
CREATE TABLE conversation_members (
    course_id       UUID    NOT NULL,
    conversation_id UUID    NOT NULL,
    account_id      UUID    NOT NULL,
    part            TEXT    NOT NULL CHECK (part IN ('LEARNER', 'STAFF')),
    joined_at       BIGINT NOT NULL,
    sees_from       BIGINT NOT NULL, -- she sees the messages from this instant on
    PRIMARY KEY (course_id, conversation_id, account_id),
    FOREIGN KEY (course_id, conversation_id) REFERENCES conversations (course_id, id) ON DELETE CASCADE
);
CREATE TABLE messages (
    course_id       UUID    NOT NULL,
    id              UUID    NOT NULL,
    conversation_id UUID    NOT NULL,
    author_id       UUID    NOT NULL,
    created_at      BIGINT NOT NULL,
    edited_at       BIGINT,
    deleted_at      BIGINT,
    PRIMARY KEY (course_id, id),
    FOREIGN KEY (course_id, conversation_id) REFERENCES conversations (course_id, id) ON DELETE CASCADE
);
CREATE INDEX messages_of_conversation ON messages (course_id, conversation_id, created_at, id);
-- What is said stands by itself, so that it can be erased by itself: deleting a message does so at once.
CREATE TABLE message_bodies (
    course_id  UUID NOT NULL,
    message_id UUID NOT NULL,
    body       TEXT NOT NULL CHECK (length(body) BETWEEN 1 AND 20000),
    PRIMARY KEY (course_id, message_id),
    FOREIGN KEY (course_id, message_id) REFERENCES messages (course_id, id) ON DELETE CASCADE
);
-- Whose conversations they are, for her list; with what she has read and whether she wants to hear of it.
CREATE TABLE inboxes (
    person_id       UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id       UUID    NOT NULL,
    conversation_id UUID    NOT NULL,
    part            TEXT    NOT NULL CHECK (part IN ('LEARNER', 'STAFF')), -- of staff only while she is that
    last_message_at BIGINT NOT NULL,
    read_at         BIGINT NOT NULL, -- the time of the last message that she has read, and the message
    read_id         UUID    NOT NULL,
    muted_at        BIGINT,
    PRIMARY KEY (person_id, course_id, conversation_id)
);
CREATE INDEX inboxes_by_time ON inboxes (person_id, last_message_at, conversation_id);
-- How many messages somebody has sent in the hour that began at this instant.
CREATE TABLE message_quotas (
    person_id UUID    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    since     BIGINT NOT NULL,
    sent      BIGINT NOT NULL CHECK (sent >= 0)
);
