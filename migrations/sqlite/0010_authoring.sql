-- What authors write: lessons with their content, version by version, and what comes before what.
-- All of it is of the catalogue: small and read everywhere.

-- Whether anybody may read the lesson's content, to see what the course is like.
ALTER TABLE lessons ADD COLUMN is_preview INTEGER NOT NULL DEFAULT 0 CHECK (is_preview IN (0, 1));

-- What an author is about to publish; learners don't see it. A lesson that is published as it is has none.
CREATE TABLE lesson_drafts (
    lesson_id        BLOB    NOT NULL PRIMARY KEY REFERENCES lessons (id) ON DELETE CASCADE,
    title            TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    seconds          INTEGER CHECK (seconds > 0),
    body             TEXT    CHECK (length(body) BETWEEN 1 AND 100000), -- Markdown
    url              TEXT    CHECK (length(url) BETWEEN 9 AND 2000),
    transcript       TEXT    CHECK (length(transcript) BETWEEN 1 AND 100000),
    completion       TEXT    NOT NULL CHECK (completion IN ('VIEW', 'TIME', 'SCORE', 'HAND')),
    completion_share INTEGER CHECK (completion_share BETWEEN 1 AND 1000000),
    is_preview       INTEGER NOT NULL CHECK (is_preview IN (0, 1)),
    updated_at       INTEGER NOT NULL
) STRICT;

-- What was published. A row is never changed: somebody's record refers to it.
CREATE TABLE lesson_versions (
    lesson_id        BLOB    NOT NULL REFERENCES lessons (id) ON DELETE CASCADE,
    version          INTEGER NOT NULL CHECK (version > 0),
    title            TEXT    NOT NULL,
    seconds          INTEGER CHECK (seconds > 0),
    body             TEXT    CHECK (length(body) BETWEEN 1 AND 100000),
    url              TEXT    CHECK (length(url) BETWEEN 9 AND 2000),
    transcript       TEXT    CHECK (length(transcript) BETWEEN 1 AND 100000),
    completion       TEXT    NOT NULL CHECK (completion IN ('VIEW', 'TIME', 'SCORE', 'HAND')),
    completion_share INTEGER CHECK (completion_share BETWEEN 1 AND 1000000),
    published_at     INTEGER NOT NULL,
    PRIMARY KEY (lesson_id, version)
) STRICT;

-- Which modules of a course come before which others.
CREATE TABLE module_prerequisites (
    course_id          BLOB NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    module_id          BLOB NOT NULL,
    required_module_id BLOB NOT NULL,
    PRIMARY KEY (module_id, required_module_id),
    FOREIGN KEY (module_id, course_id) REFERENCES modules (id, course_id) ON DELETE CASCADE,
    FOREIGN KEY (required_module_id, course_id) REFERENCES modules (id, course_id) ON DELETE CASCADE,
    CHECK (module_id <> required_module_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX module_prerequisites_of_course ON module_prerequisites (course_id, module_id);

-- Who was asked to teach a course, by the keyed hash of an address: whether anybody has it does not show.
CREATE TABLE staff_invitations (
    email_hash BLOB    NOT NULL,
    course_id  BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    role       TEXT    NOT NULL CHECK (role IN ('INSTRUCTOR', 'ASSISTANT')),
    invited_by BLOB    NOT NULL CHECK (length(invited_by) = 16),
    invited_at INTEGER NOT NULL,
    PRIMARY KEY (email_hash, course_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_invitations_of_course ON staff_invitations (course_id, invited_at);
