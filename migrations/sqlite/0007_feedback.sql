-- What learners say of recommended courses, what they have agreed to, and what became of the lists that they were given.
-- Every table here is in the family of what belongs to a learner: its keys begin with her id, and it goes with her account.

-- The latest word on each course. One that is taken back is deleted.
CREATE TABLE recommendation_feedback (
    learner_id BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id  BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    kind       TEXT    NOT NULL CHECK (kind IN ('LIKE', 'DISMISS', 'LESS_LIKE_THIS', 'ALREADY_KNOW')),
    said_at    INTEGER NOT NULL,
    PRIMARY KEY (learner_id, course_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recommendation_feedback_by_time ON recommendation_feedback (learner_id, said_at, course_id);

-- A purpose without a row is as if granted.
CREATE TABLE consents (
    learner_id BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    purpose    TEXT    NOT NULL CHECK (purpose IN ('PERSONAL_RECOMMENDATIONS')),
    granted    INTEGER NOT NULL CHECK (granted IN (0, 1)),
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (learner_id, purpose)
) STRICT, WITHOUT ROWID;

-- When she last said something of a course, took it back, or decided on a consent: a list that was made before is stale.
-- It grows with each of these, also where two fall on one instant.
ALTER TABLE accounts ADD COLUMN feedback_at INTEGER NOT NULL DEFAULT 0;

-- What a list says of itself (JSON), and the id under which its events are reported.
ALTER TABLE recommendation_lists ADD COLUMN list_id BLOB;
ALTER TABLE recommendation_lists ADD COLUMN about TEXT;

-- A list as it was given: what a report of it is held against. Kept for as long as reports are taken.
CREATE TABLE offered_lists (
    learner_id BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    list_id    BLOB    NOT NULL,
    model_id   BLOB    NOT NULL,
    engine     TEXT    NOT NULL, -- that made it: hybrid, the label of one engine, or an external one
    experiment TEXT,
    arm        TEXT,
    offered_at INTEGER NOT NULL,
    items      TEXT    NOT NULL, -- JSON: course, probability of its place in millionths, whether explored; in order
    PRIMARY KEY (learner_id, list_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX offered_lists_by_time ON offered_lists (offered_at);

-- A course that was shown. Holds what it is judged by, so that the list itself need not be kept.
CREATE TABLE recommendation_impressions (
    learner_id BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    list_id    BLOB    NOT NULL,
    course_id  BLOB    NOT NULL,
    position   INTEGER NOT NULL CHECK (position >= 1),
    model_id   BLOB    NOT NULL,
    engine     TEXT    NOT NULL,
    experiment TEXT,
    arm        TEXT,
    propensity INTEGER NOT NULL CHECK (propensity BETWEEN 1 AND 1000000), -- of its place, in millionths
    explored   INTEGER NOT NULL CHECK (explored IN (0, 1)),
    shown_at   INTEGER NOT NULL,
    PRIMARY KEY (learner_id, list_id, course_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recommendation_impressions_of_course ON recommendation_impressions (learner_id, course_id, shown_at);
CREATE INDEX recommendation_impressions_by_time ON recommendation_impressions (shown_at);

-- What came of a course that was shown; each kind once for a list and course.
CREATE TABLE recommendation_events (
    learner_id BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    list_id    BLOB    NOT NULL,
    course_id  BLOB    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('CLICK', 'ENROLMENT', 'COMPLETION', 'LIKE', 'DISMISS', 'LESS_LIKE_THIS', 'ALREADY_KNOW')),
    model_id   BLOB    NOT NULL,
    engine     TEXT    NOT NULL,
    experiment TEXT,
    arm        TEXT,
    at         INTEGER NOT NULL,
    PRIMARY KEY (learner_id, list_id, course_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX recommendation_events_of_course ON recommendation_events (learner_id, course_id, kind);
CREATE INDEX recommendation_events_by_time ON recommendation_events (at);
