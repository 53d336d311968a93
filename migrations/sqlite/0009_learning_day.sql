-- What several areas of the learning day share.
-- By learner: notifications, idempotency_keys. By course: course_contents. The new columns are of the catalogue.

-- Optimistic concurrency: whoever changes a row gives the version that she read. And the state of a part of a course:
-- a draft is seen by staff only; what is retired stays for the records of those who saw it.
ALTER TABLE courses ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE courses ADD COLUMN content_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE modules ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE modules ADD COLUMN status TEXT NOT NULL DEFAULT 'PUBLISHED' CHECK (status IN ('DRAFT', 'PUBLISHED', 'RETIRED'));
ALTER TABLE lessons ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE lessons ADD COLUMN status TEXT NOT NULL DEFAULT 'PUBLISHED' CHECK (status IN ('DRAFT', 'PUBLISHED', 'RETIRED'));
-- Which version of its content a lesson shows, and by what it is completed; the threshold is a share in millionths.
ALTER TABLE lessons ADD COLUMN content_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE lessons ADD COLUMN completion TEXT NOT NULL DEFAULT 'VIEW' CHECK (completion IN ('VIEW', 'TIME', 'SCORE', 'HAND'));
ALTER TABLE lessons ADD COLUMN completion_share INTEGER CHECK (completion_share BETWEEN 1 AND 1000000);

-- What learners find in a course, version by version: which lessons came and which went.
CREATE TABLE course_contents (
    course_id    BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    version      INTEGER NOT NULL CHECK (version > 1), -- the first is what the course began with
    published_at INTEGER NOT NULL,
    lesson_count INTEGER NOT NULL CHECK (lesson_count >= 0),
    added        TEXT    NOT NULL, -- JSON: the ids of lessons
    removed      TEXT    NOT NULL, -- JSON: the ids of lessons
    PRIMARY KEY (course_id, version)
) STRICT, WITHOUT ROWID;

-- What somebody is notified of: ids, not contents, so that the policy decides when she reads it.
CREATE TABLE notifications (
    person_id  BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    kind       TEXT    NOT NULL,
    course_id  BLOB    CHECK (length(course_id) = 16),
    subject_id BLOB    CHECK (length(subject_id) = 16), -- what it is about; of which type, the kind says
    created_at INTEGER NOT NULL,
    read_at    INTEGER,
    PRIMARY KEY (person_id, id)
) STRICT, WITHOUT ROWID;

-- What was done under a key that a client gave, so that sending it again does not do it again.
CREATE TABLE idempotency_keys (
    account_id   BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    key          TEXT    NOT NULL CHECK (length(key) BETWEEN 1 AND 100),
    request_hash BLOB    NOT NULL,
    result       TEXT    NOT NULL,
    used_at      INTEGER NOT NULL,
    PRIMARY KEY (account_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (used_at);

-- What becomes of threads and posts. Who hides behind an anonymity stays in author_id; the policy decides who sees it.
ALTER TABLE threads ADD COLUMN anonymity TEXT NOT NULL DEFAULT 'NONE' CHECK (anonymity IN ('NONE', 'CLASSMATES', 'ALL_BUT_MODERATORS'));
ALTER TABLE threads ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE threads ADD COLUMN last_post_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE threads ADD COLUMN pinned_at INTEGER;
ALTER TABLE threads ADD COLUMN locked_at INTEGER;
ALTER TABLE threads ADD COLUMN lock_reason TEXT CHECK (length(lock_reason) BETWEEN 1 AND 500);
ALTER TABLE threads ADD COLUMN answer_id BLOB;
ALTER TABLE threads ADD COLUMN merged_into BLOB;
ALTER TABLE posts ADD COLUMN anonymity TEXT NOT NULL DEFAULT 'NONE' CHECK (anonymity IN ('NONE', 'CLASSMATES', 'ALL_BUT_MODERATORS'));
ALTER TABLE posts ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE posts ADD COLUMN depth INTEGER NOT NULL DEFAULT 0 CHECK (depth >= 0);
ALTER TABLE posts ADD COLUMN votes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE posts ADD COLUMN endorsed_at INTEGER;
ALTER TABLE posts ADD COLUMN edited_at INTEGER;
ALTER TABLE posts ADD COLUMN removed_at INTEGER;
ALTER TABLE posts ADD COLUMN removed_as TEXT CHECK (removed_as IN ('AUTHOR', 'MODERATOR'));
ALTER TABLE posts ADD COLUMN removal_reason TEXT CHECK (length(removal_reason) BETWEEN 1 AND 500);
UPDATE threads SET last_post_at = (SELECT COALESCE(MAX(p.created_at), threads.created_at) FROM posts p
    WHERE p.course_id = threads.course_id AND p.thread_id = threads.id);
