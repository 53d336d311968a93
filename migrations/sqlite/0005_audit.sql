-- Who looked at whom, and the cases under which support does. The rows of the access log are hashed with the secret
-- key, each batch with the one before it: whoever has only the database can't change it unnoticed.
-- By learner: access_log, cases. Small and read everywhere: access_log_batches, access_log_head, open_cases.

CREATE TABLE access_log (
    person_id     BLOB    NOT NULL CHECK (length(person_id) = 16), -- whom it is about
    batch         INTEGER NOT NULL CHECK (batch > 0),
    position      INTEGER NOT NULL CHECK (position >= 0), -- in the batch
    at            INTEGER NOT NULL,
    event         TEXT    NOT NULL,
    actor_id      BLOB    CHECK (length(actor_id) = 16),
    relation      TEXT,
    category      TEXT,
    course_id     BLOB    CHECK (length(course_id) = 16),
    case_id       BLOB    CHECK (length(case_id) = 16),
    client        TEXT,
    credential_id BLOB    CHECK (length(credential_id) = 16),
    network       TEXT,
    request_id    TEXT,
    detail        TEXT,
    row_hash      BLOB    NOT NULL CHECK (length(row_hash) = 32),
    PRIMARY KEY (person_id, batch, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_log_by_batch ON access_log (batch, position, person_id);
CREATE INDEX access_log_by_case ON access_log (person_id, case_id) WHERE case_id IS NOT NULL;

CREATE TABLE access_log_batches (
    number        INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    at            INTEGER NOT NULL,
    row_count     INTEGER NOT NULL,
    previous_hash BLOB    NOT NULL CHECK (length(previous_hash) = 32),
    hash          BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- The last batch: one row.
CREATE TABLE access_log_head (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL,
    hash   BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO access_log_head (id, number, hash) VALUES (1, 0, zeroblob(32));

CREATE TABLE cases (
    person_id       BLOB    NOT NULL CHECK (length(person_id) = 16), -- whom it is about
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    opened_by       BLOB    NOT NULL CHECK (length(opened_by) = 16),
    opened_at       INTEGER NOT NULL,
    reason          TEXT    NOT NULL CHECK (length(reason) BETWEEN 10 AND 2000),
    ticket          TEXT    NOT NULL CHECK (length(ticket) BETWEEN 1 AND 100),
    categories      TEXT    NOT NULL, -- with commas
    expires_at      INTEGER NOT NULL CHECK (expires_at > opened_at),
    approval_needed INTEGER NOT NULL CHECK (approval_needed IN (0, 1)),
    approved_by     BLOB    CHECK (length(approved_by) = 16),
    approved_at     INTEGER,
    closed_by       BLOB    CHECK (length(closed_by) = 16),
    closed_at       INTEGER,
    PRIMARY KEY (person_id, id),
    CHECK (opened_by <> person_id),
    CHECK (approved_by <> opened_by AND approved_by <> person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_by_time ON cases (person_id, opened_at, id);

-- The cases that are not closed, one of a holder about a person: what each request of support asks for.
CREATE TABLE open_cases (
    holder_id  BLOB    NOT NULL CHECK (length(holder_id) = 16),
    person_id  BLOB    NOT NULL CHECK (length(person_id) = 16),
    case_id    BLOB    NOT NULL CHECK (length(case_id) = 16),
    opened_at  INTEGER NOT NULL,
    categories TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    waiting    INTEGER NOT NULL CHECK (waiting IN (0, 1)), -- for a second person's approval
    PRIMARY KEY (holder_id, person_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX open_cases_by_time ON open_cases (opened_at, case_id);
