-- Notifications in full, who follows what, what goes by mail, and announcements.
-- Families:
--   by learner : notification_preferences, notification_settings, notification_mutes
--   by course  : thread_follows, forum_follows, notice_rounds, announcements

-- Similar ones that are neither read nor mailed are one row: of which group, how many they are, when the last one came.
ALTER TABLE notifications ADD COLUMN group_id BLOB CHECK (length(group_id) = 16);
ALTER TABLE notifications ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
ALTER TABLE notifications ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
-- Whether it stands in her list; what she wants by mail only does not.
ALTER TABLE notifications ADD COLUMN listed INTEGER NOT NULL DEFAULT 1 CHECK (listed IN (0, 1));
-- When it is due by mail: her morning. Then it belongs to one digest, and to no other ever.
ALTER TABLE notifications ADD COLUMN mail_at INTEGER;
ALTER TABLE notifications ADD COLUMN digest_id BLOB CHECK (length(digest_id) = 16);
UPDATE notifications SET updated_at = created_at;
CREATE INDEX notifications_by_time ON notifications (person_id, updated_at, id) WHERE listed;
CREATE INDEX notifications_unread ON notifications (person_id, updated_at, id) WHERE listed AND read_at IS NULL;
CREATE UNIQUE INDEX notifications_open_group ON notifications (person_id, kind, group_id)
    WHERE read_at IS NULL AND digest_id IS NULL AND group_id IS NOT NULL;
CREATE INDEX notifications_to_mail ON notifications (mail_at, person_id) WHERE mail_at IS NOT NULL;
CREATE INDEX notifications_of_digest ON notifications (person_id, digest_id) WHERE digest_id IS NOT NULL;
-- What is forgotten: read ones after a while, others after a longer one.
CREATE INDEX notifications_read ON notifications (read_at) WHERE read_at IS NOT NULL;
CREATE INDEX notifications_by_age ON notifications (updated_at);

-- Where somebody wants something else than everybody gets.
CREATE TABLE notification_preferences (
    person_id BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind      TEXT    NOT NULL,
    in_graph  INTEGER NOT NULL CHECK (in_graph IN (0, 1)),
    mail      TEXT    NOT NULL CHECK (mail IN ('NEVER', 'DIGEST_DAILY', 'DIGEST_WEEKLY')),
    PRIMARY KEY (person_id, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE notification_settings (
    person_id           BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    by_mail             INTEGER NOT NULL CHECK (by_mail IN (0, 1)), -- 0 from the link in a digest, too
    follow_when_posting INTEGER NOT NULL CHECK (follow_when_posting IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Threads and whole courses of which somebody wants to hear nothing. For a course, both ids are its own.
CREATE TABLE notification_mutes (
    person_id BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id BLOB    NOT NULL CHECK (length(course_id) = 16),
    muted_id  BLOB    NOT NULL CHECK (length(muted_id) = 16),
    muted_at  INTEGER NOT NULL,
    PRIMARY KEY (person_id, course_id, muted_id)
) STRICT, WITHOUT ROWID;

-- By course, as posts are: whoever is told of a post is found where the post lies.
CREATE TABLE thread_follows (
    course_id   BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    thread_id   BLOB    NOT NULL CHECK (length(thread_id) = 16),
    person_id   BLOB    NOT NULL CHECK (length(person_id) = 16),
    followed_at INTEGER NOT NULL,
    PRIMARY KEY (course_id, thread_id, person_id)
) STRICT, WITHOUT ROWID;

-- Staff who want to hear of every new thread.
CREATE TABLE forum_follows (
    course_id   BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    person_id   BLOB    NOT NULL CHECK (length(person_id) = 16),
    followed_at INTEGER NOT NULL,
    PRIMARY KEY (course_id, person_id)
) STRICT, WITHOUT ROWID;

-- Telling many people goes in rounds: what is left to do after the first, and after whom to go on.
CREATE TABLE notice_rounds (
    course_id  BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    subject_id BLOB    NOT NULL CHECK (length(subject_id) = 16), -- a post or an announcement
    kind       TEXT    NOT NULL CHECK (kind IN ('POST', 'OPENED', 'ANNOUNCED', 'RETRACTED')),
    thread_id  BLOB    CHECK (length(thread_id) = 16),
    besides    TEXT    NOT NULL, -- JSON: who is not told, or was told of it as something else
    after_id   BLOB    NOT NULL CHECK (length(after_id) = 16),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (course_id, subject_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_rounds_by_time ON notice_rounds (created_at);

-- A draft has no `publish_at`. From then on it is read; `told_at` says that its learners are being told.
CREATE TABLE announcements (
    course_id    BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    author_id    BLOB    NOT NULL CHECK (length(author_id) = 16),
    title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    body         TEXT    NOT NULL CHECK (length(body) BETWEEN 1 AND 50000),
    created_at   INTEGER NOT NULL,
    publish_at   INTEGER,
    told_at      INTEGER,
    edited_at    INTEGER,
    retracted_at INTEGER,
    version      INTEGER NOT NULL,
    PRIMARY KEY (course_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX announcements_by_time ON announcements (course_id, publish_at, id);
CREATE INDEX announcements_planned ON announcements (course_id, created_at, id) WHERE told_at IS NULL AND retracted_at IS NULL;
CREATE INDEX announcements_due ON announcements (publish_at) WHERE told_at IS NULL AND retracted_at IS NULL;

-- A course's learners in the order of their ids: the order in which they are told of something, a part at a time.
CREATE INDEX enrolments_by_learner ON enrolments (course_id, learner_id);
