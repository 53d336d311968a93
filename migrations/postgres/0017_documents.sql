-- Documents that an installation trusts. One of them is the same for everybody: with the catalogue.

CREATE TABLE trusted_documents (
    id         TEXT   NOT NULL PRIMARY KEY, -- as clients send it
    text       TEXT   NOT NULL,
    text_hash  BYTEA  NOT NULL, -- SHA-256
    operations TEXT   NOT NULL, -- their names, for whoever reads a list; may be empty
    added_at   BIGINT NOT NULL,
    used_on    BIGINT           -- the last day, counted from 1970; null if it was never asked for
);

-- Where a document comes from: one may be in the manifests of several releases.
CREATE TABLE trusted_document_sources (
    source      TEXT   NOT NULL,
    document_id TEXT   NOT NULL REFERENCES trusted_documents (id) ON DELETE CASCADE,
    added_at    BIGINT NOT NULL,
    PRIMARY KEY (source, document_id)
);
CREATE INDEX trusted_document_sources_by_document ON trusted_document_sources (document_id);
