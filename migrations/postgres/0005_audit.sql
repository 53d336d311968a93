-- Who looked at whom, and the cases under which support does. The rows of the access log are hashed with the secret
-- key, each batch with the one before it: whoever has only the database can't change it unnoticed.
-- By learner: access_log, cases. Small and read everywhere: access_log_batches, access_log_head, open_cases.

CREATE TABLE access_log (
    person_id     UUID   NOT NULL, -- whom it is about
    batch         BIGINT NOT NULL CHECK (batch > 0),
    position      BIGINT NOT NULL CHECK (position >= 0), -- in the batch
    at            BIGINT NOT NULL,
    event         TEXT   NOT NULL,
    actor_id      UUID,
    relation      TEXT,
    category      TEXT,
    course_id     UUID,
    case_id       UUID,
    client        TEXT,
    credential_id UUID,
    network       TEXT,
    request_id    TEXT,
    detail        TEXT,
    row_hash      BYTEA  NOT NULL CHECK (length(row_hash) = 32),
    PRIMARY KEY (person_id, batch, position)
);
CREATE INDEX access_log_by_batch ON access_log (batch, position, person_id);
CREATE INDEX access_log_by_case ON access_log (person_id, case_id) WHERE case_id IS NOT NULL;

CREATE TABLE access_log_batches (
    number        BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),
    at            BIGINT NOT NULL,
    row_count     BIGINT NOT NULL,
    previous_hash BYTEA  NOT NULL CHECK (length(previous_hash) = 32),
    hash          BYTEA  NOT NULL CHECK (length(hash) = 32)
);

-- The last batch: one row.
CREATE TABLE access_log_head (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL,
    hash   BYTEA  NOT NULL CHECK (length(hash) = 32)
);
INSERT INTO access_log_head (id, number, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));

CREATE TABLE cases (
    person_id       UUID    NOT NULL, -- whom it is about
    id              UUID    NOT NULL,
    opened_by       UUID    NOT NULL,
    opened_at       BIGINT  NOT NULL,
    reason          TEXT    NOT NULL CHECK (length(reason) BETWEEN 10 AND 2000),
    ticket          TEXT    NOT NULL CHECK (length(ticket) BETWEEN 1 AND 100),
    categories      TEXT    NOT NULL, -- with commas
    expires_at      BIGINT  NOT NULL CHECK (expires_at > opened_at),
    approval_needed BOOLEAN NOT NULL,
    approved_by     UUID,
    approved_at     BIGINT,
    closed_by       UUID,
    closed_at       BIGINT,
    PRIMARY KEY (person_id, id),
    CHECK (opened_by <> person_id),
    CHECK (approved_by <> opened_by AND approved_by <> person_id)
);
CREATE INDEX cases_by_time ON cases (person_id, opened_at, id);

-- The cases that are not closed, one of a holder about a person: what each request of support asks for.
CREATE TABLE open_cases (
    holder_id  UUID    NOT NULL,
    person_id  UUID    NOT NULL,
    case_id    UUID    NOT NULL,
    opened_at  BIGINT  NOT NULL,
    categories TEXT    NOT NULL,
    expires_at BIGINT  NOT NULL,
    waiting    BOOLEAN NOT NULL, -- for a second person's approval
    PRIMARY KEY (holder_id, person_id)
);
CREATE INDEX open_cases_by_time ON open_cases (opened_at, case_id);
