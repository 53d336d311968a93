-- Documents that an installation trusts. One of them is the same for everybody: with the catalogue.
CREATE TABLE trusted_documents (
    id TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    added_at INTEGER NOT NULL
) STRICT;
