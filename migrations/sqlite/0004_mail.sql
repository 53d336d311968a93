-- Mail, the one-time tokens in it, and people who sign in with another provider.
-- Families:
--   by learner : outbox (by the account, or by whom an address might belong to), one_time_tokens
--   reference  : external_identities

-- What is to be sent: the kind and to whom, but neither address nor text nor token. These are made when it is sent.
-- No foreign key: a request to reset a password is written before it is known whether there is such an account.
CREATE TABLE outbox (
    account_id BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    argument   TEXT    NOT NULL CHECK (length(argument) <= 200),
    created_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL, -- also the end of the lease of whoever is sending it
    attempts   INTEGER NOT NULL,
    sent_at    INTEGER,
    failed_at  INTEGER,
    PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (not_before, account_id, id) WHERE sent_at IS NULL AND failed_at IS NULL;

CREATE TABLE one_time_tokens (
    account_id  BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    secret_hash BLOB    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('VERIFY_ADDRESS', 'RESET_PASSWORD')),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER,
    PRIMARY KEY (account_id, secret_hash)
) STRICT, WITHOUT ROWID;

-- Found at sign-in by the keyed hash of provider and subject, as account_emails is.
CREATE TABLE external_identities (
    identity_hash BLOB    NOT NULL PRIMARY KEY,
    account_id    BLOB    NOT NULL,
    linked_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX external_identities_of_account ON external_identities (account_id);
