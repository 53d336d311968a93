-- Stoa, first schema. The PostgreSQL twin has the same tables and columns (a test compares them).
-- Families, so that the tables can be distributed one day:
--   by learner : accounts (by its own id), account_roles, access_tokens, learning_goals, enrolments,
--                lesson_progress, recommendation_lists
--   by course  : course_rollups, forum_categories, threads, posts
--   reference  : settings, account_emails, topics, courses and what belongs to them, models
-- Keys start with the owner; no foreign key crosses from one distributed family to the other.
-- Times are microseconds since 1970-01-01T00:00:00Z; lengths and time spent are seconds.

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- People ---------------------------------------------------------------------------------------

CREATE TABLE accounts (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email      TEXT    CHECK (length(email) BETWEEN 3 AND 254),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Found at sign-in by the keyed hash of the address; the address itself stays with the account.
CREATE TABLE account_emails (
    email_hash BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;

CREATE TABLE account_roles (
    account_id BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role       TEXT    NOT NULL CHECK (role IN ('SUPPORT', 'ANALYST', 'ADMINISTRATOR')),
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (account_id, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_tokens (
    account_id  BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    secret_hash BLOB    NOT NULL,
    label       TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    revoked_at  INTEGER,
    PRIMARY KEY (account_id, secret_hash)
) STRICT, WITHOUT ROWID;

-- The catalogue --------------------------------------------------------------------------------

CREATE TABLE topics (
    id   BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    slug TEXT NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 200),
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE courses (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    slug         TEXT    NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 200),
    title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    title_key    TEXT    NOT NULL, -- the title in lower case: what is sorted by
    summary      TEXT    NOT NULL,
    search_text  TEXT    NOT NULL, -- title and summary in lower case
    language     TEXT    NOT NULL CHECK (length(language) BETWEEN 2 AND 35),
    level        TEXT    CHECK (level IN ('BEGINNER', 'INTERMEDIATE', 'ADVANCED')),
    status       TEXT    NOT NULL CHECK (status IN ('DRAFT', 'PUBLISHED', 'ARCHIVED')),
    open_forum   INTEGER NOT NULL CHECK (open_forum IN (0, 1)),
    lesson_count INTEGER NOT NULL CHECK (lesson_count >= 0),
    seconds      INTEGER NOT NULL CHECK (seconds >= 0),
    position     INTEGER NOT NULL, -- its place in the catalogue that it came with
    published_at INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX courses_by_title ON courses (status, title_key, id);
CREATE INDEX courses_by_time ON courses (status, published_at, id);
CREATE INDEX courses_by_length ON courses (status, seconds, id);
CREATE INDEX courses_by_update ON courses (updated_at);

CREATE TABLE course_topics (
    course_id BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    topic_id  BLOB    NOT NULL REFERENCES topics (id),
    position  INTEGER NOT NULL,
    PRIMARY KEY (course_id, topic_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX course_topics_by_topic ON course_topics (topic_id, course_id);

CREATE TABLE course_prerequisites (
    course_id          BLOB NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    required_course_id BLOB NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    PRIMARY KEY (course_id, required_course_id),
    CHECK (course_id <> required_course_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE course_staff (
    course_id  BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    account_id BLOB    NOT NULL,
    role       TEXT    NOT NULL CHECK (role IN ('INSTRUCTOR', 'ASSISTANT')),
    position   INTEGER NOT NULL,
    PRIMARY KEY (course_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX course_staff_by_account ON course_staff (account_id, course_id);

CREATE TABLE modules (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    course_id BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL CHECK (position >= 0),
    title     TEXT    NOT NULL,
    UNIQUE (id, course_id)
) STRICT;
CREATE INDEX modules_of_course ON modules (course_id, position, id);

CREATE TABLE lessons (
    id        BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    course_id BLOB    NOT NULL,
    module_id BLOB    NOT NULL,
    position  INTEGER NOT NULL CHECK (position >= 0),
    title     TEXT    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('VIDEO', 'READING', 'EXERCISE', 'LINK')),
    seconds   INTEGER CHECK (seconds > 0),
    FOREIGN KEY (module_id, course_id) REFERENCES modules (id, course_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX lessons_of_module ON lessons (module_id, position, id);
CREATE INDEX lessons_of_course ON lessons (course_id);

-- What a learner does --------------------------------------------------------------------------

CREATE TABLE learning_goals (
    learner_id BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    topic_id   BLOB NOT NULL REFERENCES topics (id),
    PRIMARY KEY (learner_id, topic_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolments (
    learner_id     BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id      BLOB    NOT NULL REFERENCES courses (id),
    enrolled_at    INTEGER NOT NULL,
    last_active_at INTEGER NOT NULL,
    completed_at   INTEGER,
    seconds        INTEGER NOT NULL CHECK (seconds >= 0),
    progress_sum   INTEGER NOT NULL CHECK (progress_sum >= 0), -- of its lessons' progress, in millionths
    rating         INTEGER CHECK (rating BETWEEN 1 AND 5),
    PRIMARY KEY (learner_id, course_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolments_by_time ON enrolments (learner_id, enrolled_at, course_id);

CREATE TABLE lesson_progress (
    learner_id   BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id    BLOB    NOT NULL,
    lesson_id    BLOB    NOT NULL REFERENCES lessons (id),
    seconds      INTEGER NOT NULL CHECK (seconds >= 0),
    position     INTEGER NOT NULL CHECK (position >= 0), -- where she left off, in seconds
    furthest     INTEGER NOT NULL CHECK (furthest >= 0), -- the furthest position so far
    progress     INTEGER NOT NULL CHECK (progress BETWEEN 0 AND 1000000), -- in millionths
    started_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    completed_at INTEGER,
    PRIMARY KEY (learner_id, course_id, lesson_id),
    FOREIGN KEY (learner_id, course_id) REFERENCES enrolments (learner_id, course_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Kept in the same transaction as the fact that changes them.
CREATE TABLE course_rollups (
    course_id       BLOB    NOT NULL PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
    learner_count   INTEGER NOT NULL CHECK (learner_count >= 0),
    completed_count INTEGER NOT NULL CHECK (completed_count >= 0),
    rating_count    INTEGER NOT NULL CHECK (rating_count >= 0),
    rating_sum      INTEGER NOT NULL CHECK (rating_sum >= 0)
) STRICT, WITHOUT ROWID;

-- The forum ------------------------------------------------------------------------------------

CREATE TABLE forum_categories (
    course_id BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id        BLOB    NOT NULL CHECK (length(id) = 16),
    position  INTEGER NOT NULL CHECK (position >= 0),
    name      TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    PRIMARY KEY (course_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE threads (
    course_id   BLOB    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    category_id BLOB    NOT NULL,
    author_id   BLOB    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('DISCUSSION', 'QUESTION')),
    title       TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    created_at  INTEGER NOT NULL,
    post_count  INTEGER NOT NULL CHECK (post_count >= 0),
    PRIMARY KEY (course_id, id),
    FOREIGN KEY (course_id, category_id) REFERENCES forum_categories (course_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX threads_by_time ON threads (course_id, created_at, id);
CREATE INDEX threads_of_category ON threads (course_id, category_id, created_at, id);

CREATE TABLE posts (
    course_id  BLOB    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    thread_id  BLOB    NOT NULL,
    author_id  BLOB    NOT NULL,
    reply_to   BLOB,
    body       TEXT    NOT NULL CHECK (length(body) BETWEEN 1 AND 50000),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (course_id, id),
    FOREIGN KEY (course_id, thread_id) REFERENCES threads (course_id, id) ON DELETE CASCADE,
    FOREIGN KEY (course_id, reply_to) REFERENCES posts (course_id, id)
) STRICT;
CREATE INDEX posts_of_thread ON posts (course_id, thread_id, created_at, id);
CREATE INDEX replies_of_post ON posts (course_id, reply_to, created_at, id);

-- The recommender ------------------------------------------------------------------------------

CREATE TABLE models (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    engine       TEXT    NOT NULL,
    trained_at   INTEGER NOT NULL,
    learners     INTEGER NOT NULL,
    interactions INTEGER NOT NULL,
    courses      INTEGER NOT NULL,
    payload      BLOB    NOT NULL
) STRICT;

-- The list that a learner was last given, kept until her history or the model changes,
-- so that the pages of one list agree with each other.
CREATE TABLE recommendation_lists (
    learner_id  BLOB    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    model_id    BLOB    NOT NULL,
    history_at  INTEGER NOT NULL,
    computed_at INTEGER NOT NULL,
    items       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
