-- Notifications in full, who follows what, what goes by mail, and announcements.
-- Families:
--   by learner : notification_preferences, notification_settings, notification_mutes
--   by course  : thread_follows, forum_follows, notice_rounds, announcements

-- Similar ones that are neither read nor mailed are one row: of which group, how many they are, when the last one came.
ALTER TABLE notifications ADD COLUMN group_id UUID;
ALTER TABLE notifications ADD COLUMN times BIGINT NOT NULL DEFAULT 1;
ALTER TABLE notifications ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
-- Whether it stands in her list; what she wants by mail only does not.
ALTER TABLE notifications ADD COLUMN listed BOOLEAN NOT NULL DEFAULT TRUE;
-- When it is due by mail: her morning. Then it belongs to one digest, and to no other ever.
ALTER TABLE notifications ADD COLUMN mail_at BIGINT;
ALTER TABLE notifications ADD COLUMN digest_id UUID;
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
    person_id UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind      TEXT    NOT NULL,
    in_graph  BOOLEAN NOT NULL,
    mail      TEXT    NOT NULL CHECK (mail IN ('NEVER', 'DIGEST_DAILY', 'DIGEST_WEEKLY')),
    PRIMARY KEY (person_id, kind)
);

CREATE TABLE notification_settings (
    person_id           UUID    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    by_mail             BOOLEAN NOT NULL, -- FALSE from the link in a digest, too
    follow_when_posting BOOLEAN NOT NULL
);

-- Threads and whole courses of which somebody wants to hear nothing. For a course, both ids are its own.
CREATE TABLE notification_mutes (
    person_id UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id UUID    NOT NULL,
    muted_id  UUID    NOT NULL,
    muted_at  BIGINT NOT NULL,
    PRIMARY KEY (person_id, course_id, muted_id)
);

-- By course, as posts are: whoever is told of a post is found where the post lies.
CREATE TABLE thread_follows (
    course_id   UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    thread_id   UUID    NOT NULL,
    person_id   UUID    NOT NULL,
    followed_at BIGINT NOT NULL,
    PRIMARY KEY (course_id, thread_id, person_id)
);

-- Staff who want to hear of every new thread.
CREATE TABLE forum_follows (
    course_id   UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    person_id   UUID    NOT NULL,
    followed_at BIGINT NOT NULL,
    PRIMARY KEY (course_id, person_id)
);

-- Telling many people goes in rounds: what is left to do after the first, and after whom to go on.
CREATE TABLE notice_rounds (
    course_id  UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    subject_id UUID    NOT NULL, -- a post or an announcement
    kind       TEXT    NOT NULL CHECK (kind IN ('POST', 'OPENED', 'ANNOUNCED', 'RETRACTED')),
    thread_id  UUID   ,
    besides    TEXT    NOT NULL, -- JSON: who is not told, or was told of it as something else
    after_id   UUID    NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (course_id, subject_id, kind)
);
CREATE INDEX notice_rounds_by_time ON notice_rounds (created_at);

-- A draft has no `publish_at`. From then on it is read; `told_at` says that its learners are being told.
CREATE TABLE announcements (
    course_id    UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id           UUID    NOT NULL,
    author_id    UUID    NOT NULL,
    title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    body         TEXT    NOT NULL CHECK (length(body) BETWEEN 1 AND 50000),
    created_at   BIGINT NOT NULL,
    publish_at   BIGINT,
    told_at      BIGINT,
    edited_at    BIGINT,
    retracted_at BIGINT,
    version      BIGINT NOT NULL,
    PRIMARY KEY (course_id, id)
);
CREATE INDEX announcements_by_time ON announcements (course_id, publish_at, id);
CREATE INDEX announcements_planned ON announcements (course_id, created_at, id) WHERE told_at IS NULL AND retracted_at IS NULL;
CREATE INDEX announcements_due ON announcements (publish_at) WHERE told_at IS NULL AND retracted_at IS NULL;

-- A course's learners in the order of their ids: the order in which they are told of something, a part at a time.
CREATE INDEX enrolments_by_learner ON enrolments (course_id, learner_id);
