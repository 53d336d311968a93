-- Keeping order in a course's forum: categories, what moderators do, reports, and what waits for staff.
-- Every table here is in the family of what belongs to a course: its keys begin with it.

ALTER TABLE forum_categories ADD COLUMN description TEXT CHECK (length(description) BETWEEN 1 AND 500);
-- Only the course's staff begin threads in it, as in one for announcements.
ALTER TABLE forum_categories ADD COLUMN staff_only INTEGER NOT NULL DEFAULT 0 CHECK (staff_only IN (0, 1));
-- It takes no new threads; those that are in it stay.
ALTER TABLE forum_categories ADD COLUMN archived_at INTEGER;
ALTER TABLE forum_categories ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- What waits for staff; see forum/moderation/attention.rs for what each means. The first three are counted, the last three
-- follow from them, and are null where the thread is not on that list.
ALTER TABLE threads ADD COLUMN other_replies INTEGER NOT NULL DEFAULT 0 CHECK (other_replies >= 0);
ALTER TABLE threads ADD COLUMN endorsed_replies INTEGER NOT NULL DEFAULT 0 CHECK (endorsed_replies >= 0);
ALTER TABLE threads ADD COLUMN waiting_since INTEGER;
ALTER TABLE threads ADD COLUMN unanswered_since INTEGER;
ALTER TABLE threads ADD COLUMN unreplied_since INTEGER;
ALTER TABLE threads ADD COLUMN stuck_at INTEGER;
CREATE INDEX threads_unanswered ON threads (course_id, unanswered_since, id);
CREATE INDEX threads_unreplied ON threads (course_id, unreplied_since, id);
CREATE INDEX threads_stuck ON threads (course_id, stuck_at, id);
CREATE INDEX threads_pinned ON threads (course_id, pinned_at, id);
CREATE INDEX threads_merged ON threads (course_id, merged_into, id);
-- What a moderator told the author of a post.
ALTER TABLE posts ADD COLUMN warned_at INTEGER;
ALTER TABLE posts ADD COLUMN warning TEXT CHECK (length(warning) BETWEEN 1 AND 500);

UPDATE threads SET
    other_replies = (SELECT COUNT(*) FROM posts p WHERE p.course_id = threads.course_id AND p.thread_id = threads.id
        AND p.author_id <> threads.author_id),
    waiting_since = (SELECT MIN(p.created_at) FROM posts p WHERE p.course_id = threads.course_id AND p.thread_id = threads.id
        AND p.author_id = threads.author_id AND p.created_at > (SELECT MAX(o.created_at) FROM posts o
            WHERE o.course_id = threads.course_id AND o.thread_id = threads.id AND o.author_id <> threads.author_id));
UPDATE threads SET
    unanswered_since = created_at,
    unreplied_since = CASE WHEN other_replies = 0 THEN created_at END,
    stuck_at = CASE
        WHEN other_replies >= 3 AND (waiting_since IS NULL OR created_at + 259200000000 <= waiting_since + 86400000000)
            THEN created_at + 259200000000
        ELSE waiting_since + 86400000000 END
    WHERE kind = 'QUESTION';

-- The titles that a thread had before.
CREATE TABLE thread_titles (
    course_id  BLOB    NOT NULL,
    thread_id  BLOB    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    title      TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    until      INTEGER NOT NULL,
    renamed_as TEXT    NOT NULL CHECK (renamed_as IN ('AUTHOR', 'MODERATOR')),
    PRIMARY KEY (course_id, thread_id, id),
    FOREIGN KEY (course_id, thread_id) REFERENCES threads (course_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- That a post was reported, by one or several; decided once for all of them.
CREATE TABLE reported_posts (
    course_id       BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    post_id         BLOB    NOT NULL,
    author_id       BLOB    NOT NULL, -- of the post: she does not decide on it
    state           TEXT    NOT NULL CHECK (state IN ('OPEN', 'DECIDED')),
    reported_at     INTEGER NOT NULL, -- first
    reporter_count  INTEGER NOT NULL CHECK (reporter_count >= 1),
    version         INTEGER NOT NULL DEFAULT 1,
    decision        TEXT    CHECK (decision IN ('DISMISS', 'REMOVE_POST', 'LOCK_THREAD', 'WARN')),
    decision_reason TEXT    CHECK (length(decision_reason) BETWEEN 1 AND 500),
    decided_by      BLOB,
    decided_at      INTEGER,
    PRIMARY KEY (course_id, id),
    FOREIGN KEY (course_id, post_id) REFERENCES posts (course_id, id) ON DELETE CASCADE,
    CHECK ((state = 'DECIDED') = (decision IS NOT NULL AND decided_by IS NOT NULL AND decided_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX reported_posts_open ON reported_posts (course_id, post_id) WHERE state = 'OPEN';
CREATE INDEX reported_posts_queue ON reported_posts (course_id, state, reported_at, id);

-- Each one's report, once for a post as long as it is open.
CREATE TABLE reports (
    course_id   BLOB    NOT NULL,
    report_id   BLOB    NOT NULL,
    reporter_id BLOB    NOT NULL,
    reason      TEXT    NOT NULL CHECK (reason IN ('SPAM', 'HARASSMENT', 'OFF_TOPIC', 'CHEATING', 'PERSONAL_DATA', 'OTHER')),
    text        TEXT    CHECK (length(text) BETWEEN 1 AND 1000),
    reported_at INTEGER NOT NULL,
    PRIMARY KEY (course_id, report_id, reporter_id),
    FOREIGN KEY (course_id, report_id) REFERENCES reported_posts (course_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX reports_of_reporter ON reports (course_id, reporter_id, reported_at);

-- What moderators did: who, what, when, to what, why. Rows are added, never changed.
CREATE TABLE moderation_log (
    course_id    BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    at           INTEGER NOT NULL,
    moderator_id BLOB    NOT NULL,
    act          TEXT    NOT NULL,
    category_id  BLOB,
    thread_id    BLOB,
    post_id      BLOB,
    about_id     BLOB, -- whose thread or post it was
    reason       TEXT    CHECK (length(reason) BETWEEN 1 AND 500),
    before       TEXT, -- a title or the name of a category
    after        TEXT,
    PRIMARY KEY (course_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX moderation_log_by_time ON moderation_log (course_id, at, id);
