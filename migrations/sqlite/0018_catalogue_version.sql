-- One row: a number that grows with each transaction that changes the catalogue. Whoever keeps some of the catalogue in memory
-- looks at it (api/src/db/fresh.rs). It is a row of its own, and not one of `settings`: it is changed just before each such commit,
-- and nobody else is to wait for that. With the catalogue.

CREATE TABLE catalogue_version (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO catalogue_version (id, version) VALUES (1, 0);
