-- What authors write: lessons with their content, version by version, and what comes before what.
-- All of it is of the catalogue: small and read everywhere.

-- Whether anybody may read the lesson's content, to see what the course is like.
ALTER TABLE lessons ADD COLUMN is_preview BOOLEAN NOT NULL DEFAULT FALSE;

-- What an author is about to publish; learners don't see it. A lesson that is published as it is has none.
CREATE TABLE lesson_drafts (
    lesson_id        UUID    NOT NULL PRIMARY KEY REFERENCES lessons (id) ON DELETE CASCADE,
    title            TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    seconds          BIGINT  CHECK (seconds > 0),
    body             TEXT    CHECK (length(body) BETWEEN 1 AND 100000), -- Markdown
    url              TEXT    CHECK (length(url) BETWEEN 9 AND 2000),
    transcript       TEXT    CHECK (length(transcript) BETWEEN 1 AND 100000),
    completion       TEXT    NOT NULL CHECK (completion IN ('VIEW', 'TIME', 'SCORE', 'HAND')),
    completion_share BIGINT  CHECK (completion_share BETWEEN 1 AND 1000000),
    is_preview       BOOLEAN NOT NULL,
    updated_at       BIGINT  NOT NULL
);

-- What was published. A row is never changed: somebody's record refers to it.
CREATE TABLE lesson_versions (
    lesson_id        UUID    NOT NULL REFERENCES lessons (id) ON DELETE CASCADE,
    version          BIGINT  NOT NULL CHECK (version > 0),
    title            TEXT    NOT NULL,
    seconds          BIGINT  CHECK (seconds > 0),
    body             TEXT    CHECK (length(body) BETWEEN 1 AND 100000),
    url              TEXT    CHECK (length(url) BETWEEN 9 AND 2000),
    transcript       TEXT    CHECK (length(transcript) BETWEEN 1 AND 100000),
    completion       TEXT    NOT NULL CHECK (completion IN ('VIEW', 'TIME', 'SCORE', 'HAND')),
    completion_share BIGINT  CHECK (completion_share BETWEEN 1 AND 1000000),
    published_at     BIGINT  NOT NULL,
    PRIMARY KEY (lesson_id, version)
);

-- Which modules of a course come before which others.
CREATE TABLE module_prerequisites (
    course_id          UUID NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    module_id          UUID NOT NULL,
    required_module_id UUID NOT NULL,
    PRIMARY KEY (module_id, required_module_id),
    FOREIGN KEY (module_id, course_id) REFERENCES modules (id, course_id) ON DELETE CASCADE,
    FOREIGN KEY (required_module_id, course_id) REFERENCES modules (id, course_id) ON DELETE CASCADE,
    CHECK (module_id <> required_module_id)
);
CREATE INDEX module_prerequisites_of_course ON module_prerequisites (course_id, module_id);

-- Who was asked to teach a course, by the keyed hash of an address: whether anybody has it does not show.
CREATE TABLE staff_invitations (
    email_hash BYTEA   NOT NULL,
    course_id  UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    role       TEXT    NOT NULL CHECK (role IN ('INSTRUCTOR', 'ASSISTANT')),
    invited_by UUID    NOT NULL,
    invited_at BIGINT  NOT NULL,
    PRIMARY KEY (email_hash, course_id)
);
CREATE INDEX staff_invitations_of_course ON staff_invitations (course_id, invited_at);
