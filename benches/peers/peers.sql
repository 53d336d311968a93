-- What the peers need beside Stoa's own tables: where they write who looked at whose data. One row for each person,
-- relation and course of a request, with all categories, as in Stoa's access log, but not chained by hashes.
CREATE SCHEMA IF NOT EXISTS peers;
CREATE TABLE IF NOT EXISTS peers.looks (
    person_id     UUID   NOT NULL,
    request       UUID   NOT NULL,
    position      BIGINT NOT NULL,
    at            BIGINT NOT NULL,
    actor_id      UUID,
    relation      TEXT   NOT NULL,
    category      TEXT   NOT NULL,
    course_id     UUID,
    credential_id UUID,
    PRIMARY KEY (person_id, request, position)
);
CREATE INDEX IF NOT EXISTS looks_by_request ON peers.looks (request, position);
