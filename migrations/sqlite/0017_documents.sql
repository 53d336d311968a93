-- Documents that an installation trusts. One of them is the same for everybody: with the catalogue.

CREATE TABLE trusted_documents (
    id         TEXT    NOT NULL PRIMARY KEY, -- as clients send it
    text       TEXT    NOT NULL,
    text_hash  BLOB    NOT NULL, -- SHA-256
    operations TEXT    NOT NULL, -- their names, for whoever reads a list; may be empty
    added_at   INTEGER NOT NULL,
    used_on    INTEGER          -- the last day, counted from 1970; null if it was never asked for
) STRICT;

-- Where a document comes from: one may be in the manifests of several releases.
CREATE TABLE trusted_document_sources (
    source      TEXT    NOT NULL,
    document_id TEXT    NOT NULL REFERENCES trusted_documents (id) ON DELETE CASCADE,
    added_at    INTEGER NOT NULL,
    PRIMARY KEY (source, document_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX trusted_document_sources_by_document ON trusted_document_sources (document_id);
