-- Who may take a course, and how many; who waits for a seat; cohorts and invitations; leaving and coming back. Reviews and
-- bookmarks.
-- By learner: waiting_places, enrolment_breaks, bookmarks. By course: enrolment_settings, cohorts, invitations,
-- course_reviews.

-- Whoever takes or leaves a course holds this row until the transaction ends: so no seat is given twice. A course without
-- a row is open to everybody, and nobody takes it.
CREATE TABLE enrolment_settings (
    course_id   UUID NOT NULL PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
    mode        TEXT    NOT NULL DEFAULT 'OPEN' CHECK (mode IN ('OPEN', 'INVITATION')),
    seats       BIGINT CHECK (seats BETWEEN 1 AND 1000000),
    opens_at    BIGINT,
    closes_at   BIGINT,
    version     BIGINT NOT NULL DEFAULT 1,
    taken       BIGINT NOT NULL DEFAULT 0 CHECK (taken >= 0), -- by those who have not left
    waiting     BIGINT NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    next_ticket BIGINT NOT NULL DEFAULT 1
);
INSERT INTO enrolment_settings (course_id, taken)
    SELECT course_id, COUNT(*) FROM enrolments WHERE left_at IS NULL GROUP BY course_id;

CREATE TABLE cohorts (
    course_id  UUID NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id         UUID NOT NULL,
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    starts_at  BIGINT,
    ends_at    BIGINT,
    closed_at  BIGINT, -- since when nobody is put into it any more
    version    BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (course_id, id)
);
CREATE INDEX cohorts_by_time ON cohorts (course_id, created_at, id);

-- To one person, or for whoever has the code, of which only a keyed hash is kept.
CREATE TABLE invitations (
    course_id  UUID NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id         UUID NOT NULL,
    person_id  UUID,
    code_hash  BYTEA,
    label      TEXT    NOT NULL CHECK (length(label) <= 200),
    cohort_id  UUID,
    max_uses   BIGINT NOT NULL CHECK (max_uses BETWEEN 1 AND 100000),
    used       BIGINT NOT NULL DEFAULT 0 CHECK (used BETWEEN 0 AND max_uses),
    created_by UUID NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (course_id, id),
    UNIQUE (course_id, code_hash),
    FOREIGN KEY (course_id, cohort_id) REFERENCES cohorts (course_id, id),
    CHECK ((person_id IS NULL) <> (code_hash IS NULL))
);
CREATE INDEX invitations_by_time ON invitations (course_id, created_at, id);
CREATE INDEX invitations_of_person ON invitations (course_id, person_id);

ALTER TABLE enrolments ADD COLUMN cohort_id UUID;

-- The ticket is the place in the order of the course's line.
CREATE TABLE waiting_places (
    learner_id    UUID NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id     UUID NOT NULL REFERENCES courses (id),
    ticket        BIGINT NOT NULL,
    since         BIGINT NOT NULL,
    cohort_id     UUID,
    invitation_id UUID,
    PRIMARY KEY (learner_id, course_id)
);
CREATE INDEX waiting_places_by_ticket ON waiting_places (course_id, ticket);
CREATE INDEX waiting_places_by_time ON waiting_places (learner_id, since, course_id);

-- Each time that somebody had left a course and came back to it. That she is away now stands in enrolments.left_at.
CREATE TABLE enrolment_breaks (
    learner_id   UUID NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id    UUID NOT NULL,
    id           UUID NOT NULL,
    left_at      BIGINT NOT NULL,
    came_back_at BIGINT NOT NULL,
    PRIMARY KEY (learner_id, course_id, id),
    FOREIGN KEY (learner_id, course_id) REFERENCES enrolments (learner_id, course_id) ON DELETE CASCADE
);

-- What learners say of a course. Without a text it is a rating, which nobody sees but in the average. The id tells neither who
-- wrote it nor when.
CREATE TABLE course_reviews (
    course_id  UUID NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id         UUID NOT NULL,
    author_id  UUID NOT NULL,
    rating     BIGINT NOT NULL CHECK (rating BETWEEN 1 AND 5),
    body       TEXT    CHECK (length(body) BETWEEN 1 AND 5000),
    shows_name BOOLEAN NOT NULL,
    version    BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    edited_at  BIGINT,
    hidden_at  BIGINT, -- since when a moderator keeps it from the list
    PRIMARY KEY (course_id, id),
    UNIQUE (course_id, author_id)
);
CREATE INDEX course_reviews_by_time ON course_reviews (course_id, created_at, id);

-- Of the ratings, those whose stars stand in a review for everybody to read.
ALTER TABLE course_rollups ADD COLUMN review_count BIGINT NOT NULL DEFAULT 0 CHECK (review_count >= 0);
ALTER TABLE course_rollups ADD COLUMN review_sum BIGINT NOT NULL DEFAULT 0 CHECK (review_sum >= 0);

CREATE TABLE bookmarks (
    person_id  UUID NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id         UUID NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('COURSE', 'LESSON', 'THREAD', 'POST')),
    course_id  UUID NOT NULL,
    thing_id   UUID NOT NULL,
    note       TEXT    CHECK (length(note) BETWEEN 1 AND 2000),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, id),
    UNIQUE (person_id, kind, course_id, thing_id)
);
CREATE INDEX bookmarks_by_time ON bookmarks (person_id, created_at, id);
