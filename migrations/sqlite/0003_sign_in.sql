-- Signing in: passwords, sessions, tokens with scopes, the history of sign-ins, the throttle.

ALTER TABLE accounts ADD COLUMN status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'SUSPENDED'));
ALTER TABLE accounts ADD COLUMN email_verified_at INTEGER;

CREATE TABLE credentials (
    account_id    BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    password_hash TEXT    NOT NULL, -- Argon2id, as a PHC string
    set_at        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    account_id   BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    secret_hash  BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER,
    two_factor   INTEGER NOT NULL CHECK (two_factor IN (0, 1)),
    client_label TEXT    NOT NULL,
    network      TEXT,
    PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_ins (
    account_id   BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id           BLOB    NOT NULL CHECK (length(id) = 16),
    at           INTEGER NOT NULL,
    method       TEXT    NOT NULL,
    outcome      TEXT    NOT NULL,
    client_label TEXT    NOT NULL,
    network      TEXT,
    device_hash  BLOB,
    suspicious   TEXT    NOT NULL, -- reasons, with commas between; empty for none
    PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_ins_by_time ON sign_ins (account_id, at, id);

-- Attempts by the keyed hash of what is guarded (an address, a network), whether or not there is an account.
CREATE TABLE attempts (
    guarded_hash BLOB    NOT NULL PRIMARY KEY,
    failures     INTEGER NOT NULL CHECK (failures >= 0),
    last_at      INTEGER NOT NULL,
    next_at      INTEGER NOT NULL -- nothing is tried before
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_time ON attempts (last_at);

-- Tokens made before this had every scope, and were made on the server's machine.
ALTER TABLE access_tokens ADD COLUMN id BLOB CHECK (length(id) = 16);
ALTER TABLE access_tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'READ,WRITE,PEOPLE,ACCOUNT';
ALTER TABLE access_tokens ADD COLUMN two_factor INTEGER NOT NULL DEFAULT 1 CHECK (two_factor IN (0, 1));
ALTER TABLE access_tokens ADD COLUMN last_used_at INTEGER;
UPDATE access_tokens SET id = randomblob(16);
CREATE UNIQUE INDEX access_tokens_by_id ON access_tokens (account_id, id);
