-- Signing in: passwords, sessions, tokens with scopes, the history of sign-ins, the throttle.

ALTER TABLE accounts ADD COLUMN status TEXT NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'SUSPENDED'));
ALTER TABLE accounts ADD COLUMN email_verified_at BIGINT;

CREATE TABLE credentials (
    account_id    UUID    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    password_hash TEXT    NOT NULL, -- Argon2id, as a PHC string
    set_at        BIGINT NOT NULL
);

CREATE TABLE sessions (
    account_id   UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id           UUID    NOT NULL,
    secret_hash  BYTEA    NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT,
    two_factor   BOOLEAN NOT NULL,
    client_label TEXT    NOT NULL,
    network      TEXT,
    PRIMARY KEY (account_id, id)
);

CREATE TABLE sign_ins (
    account_id   UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id           UUID    NOT NULL,
    at           BIGINT NOT NULL,
    method       TEXT    NOT NULL,
    outcome      TEXT    NOT NULL,
    client_label TEXT    NOT NULL,
    network      TEXT,
    device_hash  BYTEA,
    suspicious   TEXT    NOT NULL, -- reasons, with commas between; empty for none
    PRIMARY KEY (account_id, id)
);
CREATE INDEX sign_ins_by_time ON sign_ins (account_id, at, id);

-- Attempts by the keyed hash of what is guarded (an address, a network), whether or not there is an account.
CREATE TABLE attempts (
    guarded_hash BYTEA    NOT NULL PRIMARY KEY,
    failures     BIGINT NOT NULL CHECK (failures >= 0),
    last_at      BIGINT NOT NULL,
    next_at      BIGINT NOT NULL -- nothing is tried before
);
CREATE INDEX attempts_by_time ON attempts (last_at);

-- Tokens made before this had every scope, and were made on the server's machine.
ALTER TABLE access_tokens ADD COLUMN id UUID;
ALTER TABLE access_tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'READ,WRITE,PEOPLE,ACCOUNT';
ALTER TABLE access_tokens ADD COLUMN two_factor BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE access_tokens ADD COLUMN last_used_at BIGINT;
UPDATE access_tokens SET id = gen_random_uuid();
CREATE UNIQUE INDEX access_tokens_by_id ON access_tokens (account_id, id);
