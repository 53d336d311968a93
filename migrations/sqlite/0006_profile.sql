-- A second factor for signing in, and what a person says of herself.
-- Both tables are in the family of what belongs to a learner: their keys begin with her id.

CREATE TABLE second_factors (
    account_id    BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    sealed_secret BLOB    NOT NULL,
    enabled_at    INTEGER,          -- when a first code was shown; until then it counts for nothing
    last_step     INTEGER NOT NULL, -- of the code that was used last: that one and those before it are spent
    failures      INTEGER NOT NULL CHECK (failures >= 0), -- wrong codes since the next column
    failing_since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A code that is used is deleted.
CREATE TABLE recovery_codes (
    account_id BLOB NOT NULL REFERENCES second_factors (account_id) ON DELETE CASCADE,
    code_hash  BLOB NOT NULL,
    PRIMARY KEY (account_id, code_hash)
) STRICT, WITHOUT ROWID;

ALTER TABLE accounts ADD COLUMN picture_url TEXT CHECK (length(picture_url) <= 2000);
ALTER TABLE accounts ADD COLUMN education TEXT CHECK (length(education) BETWEEN 1 AND 500);
ALTER TABLE accounts ADD COLUMN time_zone TEXT CHECK (length(time_zone) <= 100);
ALTER TABLE accounts ADD COLUMN language TEXT CHECK (length(language) <= 100);
-- When she last changed her goals; a list of next courses that was made before is stale.
ALTER TABLE accounts ADD COLUMN goals_at INTEGER NOT NULL DEFAULT 0;

CREATE TABLE preferences (
    account_id         BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    interface_language TEXT    CHECK (length(interface_language) <= 100),
    playback_speed     INTEGER CHECK (playback_speed BETWEEN 25 AND 400) -- in hundredths
) STRICT, WITHOUT ROWID;
