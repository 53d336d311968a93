-- Stoa, first schema. The SQLite twin has the same tables and columns (a test compares them).
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
);

-- People ---------------------------------------------------------------------------------------

CREATE TABLE accounts (
    id         UUID    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email      TEXT    CHECK (length(email) BETWEEN 3 AND 254),
    created_at BIGINT NOT NULL
);

-- Found at sign-in by the keyed hash of the address; the address itself stays with the account.
CREATE TABLE account_emails (
    email_hash BYTEA NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL UNIQUE
);

CREATE TABLE account_roles (
    account_id UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role       TEXT    NOT NULL CHECK (role IN ('SUPPORT', 'ANALYST', 'ADMINISTRATOR')),
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, role)
);

CREATE TABLE access_tokens (
    account_id  UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    secret_hash BYTEA    NOT NULL,
    label       TEXT    NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    revoked_at  BIGINT,
    PRIMARY KEY (account_id, secret_hash)
);

-- The catalogue --------------------------------------------------------------------------------

CREATE TABLE topics (
    id   UUID NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 200),
    name TEXT NOT NULL
);

CREATE TABLE courses (
    id           UUID    NOT NULL PRIMARY KEY,
    slug         TEXT    NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 200),
    title        TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    title_key    TEXT    COLLATE "C" NOT NULL, -- the title in lower case: what is sorted by
    summary      TEXT    NOT NULL,
    search_text  TEXT    NOT NULL, -- title and summary in lower case
    language     TEXT    NOT NULL CHECK (length(language) BETWEEN 2 AND 35),
    level        TEXT    CHECK (level IN ('BEGINNER', 'INTERMEDIATE', 'ADVANCED')),
    status       TEXT    NOT NULL CHECK (status IN ('DRAFT', 'PUBLISHED', 'ARCHIVED')),
    open_forum   BOOLEAN NOT NULL,
    lesson_count BIGINT NOT NULL CHECK (lesson_count >= 0),
    seconds      BIGINT NOT NULL CHECK (seconds >= 0),
    position     BIGINT NOT NULL, -- its place in the catalogue that it came with
    published_at BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE INDEX courses_by_title ON courses (status, title_key, id);
CREATE INDEX courses_by_time ON courses (status, published_at, id);
CREATE INDEX courses_by_length ON courses (status, seconds, id);
CREATE INDEX courses_by_update ON courses (updated_at);

CREATE TABLE course_topics (
    course_id UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    topic_id  UUID    NOT NULL REFERENCES topics (id),
    position  BIGINT NOT NULL,
    PRIMARY KEY (course_id, topic_id)
);
CREATE INDEX course_topics_by_topic ON course_topics (topic_id, course_id);

CREATE TABLE course_prerequisites (
    course_id          UUID NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    required_course_id UUID NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    PRIMARY KEY (course_id, required_course_id),
    CHECK (course_id <> required_course_id)
);

CREATE TABLE course_staff (
    course_id  UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    account_id UUID    NOT NULL,
    role       TEXT    NOT NULL CHECK (role IN ('INSTRUCTOR', 'ASSISTANT')),
    position   BIGINT NOT NULL,
    PRIMARY KEY (course_id, account_id)
);
CREATE INDEX course_staff_by_account ON course_staff (account_id, course_id);

CREATE TABLE modules (
    id        UUID    NOT NULL PRIMARY KEY,
    course_id UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    position  BIGINT NOT NULL CHECK (position >= 0),
    title     TEXT    NOT NULL,
    UNIQUE (id, course_id)
);
CREATE INDEX modules_of_course ON modules (course_id, position, id);

CREATE TABLE lessons (
    id        UUID    NOT NULL PRIMARY KEY,
    course_id UUID    NOT NULL,
    module_id UUID    NOT NULL,
    position  BIGINT NOT NULL CHECK (position >= 0),
    title     TEXT    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('VIDEO', 'READING', 'EXERCISE', 'LINK')),
    seconds   BIGINT CHECK (seconds > 0),
    FOREIGN KEY (module_id, course_id) REFERENCES modules (id, course_id) ON DELETE CASCADE
);
CREATE INDEX lessons_of_module ON lessons (module_id, position, id);
CREATE INDEX lessons_of_course ON lessons (course_id);

-- What a learner does --------------------------------------------------------------------------

CREATE TABLE learning_goals (
    learner_id UUID NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    topic_id   UUID NOT NULL REFERENCES topics (id),
    PRIMARY KEY (learner_id, topic_id)
);

CREATE TABLE enrolments (
    learner_id     UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id      UUID    NOT NULL REFERENCES courses (id),
    enrolled_at    BIGINT NOT NULL,
    last_active_at BIGINT NOT NULL,
    completed_at   BIGINT,
    seconds        BIGINT NOT NULL CHECK (seconds >= 0),
    progress_sum   BIGINT NOT NULL CHECK (progress_sum >= 0), -- of its lessons' progress, in millionths
    rating         BIGINT CHECK (rating BETWEEN 1 AND 5),
    PRIMARY KEY (learner_id, course_id)
);
CREATE INDEX enrolments_by_time ON enrolments (learner_id, enrolled_at, course_id);

CREATE TABLE lesson_progress (
    learner_id   UUID    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    course_id    UUID    NOT NULL,
    lesson_id    UUID    NOT NULL REFERENCES lessons (id),
    seconds      BIGINT NOT NULL CHECK (seconds >= 0),
    position     BIGINT NOT NULL CHECK (position >= 0), -- where she left off, in seconds
    furthest     BIGINT NOT NULL CHECK (furthest >= 0), -- the furthest position so far
    progress     BIGINT NOT NULL CHECK (progress BETWEEN 0 AND 1000000), -- in millionths
    started_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    completed_at BIGINT,
    PRIMARY KEY (learner_id, course_id, lesson_id),
    FOREIGN KEY (learner_id, course_id) REFERENCES enrolments (learner_id, course_id) ON DELETE CASCADE
);

-- Kept in the same transaction as the fact that changes them.
CREATE TABLE course_rollups (
    course_id       UUID    NOT NULL PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
    learner_count   BIGINT NOT NULL CHECK (learner_count >= 0),
    completed_count BIGINT NOT NULL CHECK (completed_count >= 0),
    rating_count    BIGINT NOT NULL CHECK (rating_count >= 0),
    rating_sum      BIGINT NOT NULL CHECK (rating_sum >= 0)
);

-- The forum ------------------------------------------------------------------------------------

CREATE TABLE forum_categories (
    course_id UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id        UUID    NOT NULL,
    position  BIGINT NOT NULL CHECK (position >= 0),
    name      TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    PRIMARY KEY (course_id, id)
);

CREATE TABLE threads (
    course_id   UUID    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    id          UUID    NOT NULL,
    category_id UUID    NOT NULL,
    author_id   UUID    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('DISCUSSION', 'QUESTION')),
    title       TEXT    NOT NULL CHECK (length(title) BETWEEN 1 AND 300),
    created_at  BIGINT NOT NULL,
    post_count  BIGINT NOT NULL CHECK (post_count >= 0),
    PRIMARY KEY (course_id, id),
    FOREIGN KEY (course_id, category_id) REFERENCES forum_categories (course_id, id)
);
CREATE INDEX threads_by_time ON threads (course_id, created_at, id);
CREATE INDEX threads_of_category ON threads (course_id, category_id, created_at, id);

CREATE TABLE posts (
    course_id  UUID    NOT NULL,
    id         UUID    NOT NULL,
    thread_id  UUID    NOT NULL,
    author_id  UUID    NOT NULL,
    reply_to   UUID,
    body       TEXT    NOT NULL CHECK (length(body) BETWEEN 1 AND 50000),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (course_id, id),
    FOREIGN KEY (course_id, thread_id) REFERENCES threads (course_id, id) ON DELETE CASCADE,
    FOREIGN KEY (course_id, reply_to) REFERENCES posts (course_id, id)
);
CREATE INDEX posts_of_thread ON posts (course_id, thread_id, created_at, id);
CREATE INDEX replies_of_post ON posts (course_id, reply_to, created_at, id);

-- The recommender ------------------------------------------------------------------------------

CREATE TABLE models (
    id           UUID    NOT NULL PRIMARY KEY,
    engine       TEXT    NOT NULL,
    trained_at   BIGINT NOT NULL,
    learners     BIGINT NOT NULL,
    interactions BIGINT NOT NULL,
    courses      BIGINT NOT NULL,
    payload      BYTEA  NOT NULL
);

-- The list that a learner was last given, kept until her history or the model changes,
-- so that the pages of one list agree with each other.
CREATE TABLE recommendation_lists (
    learner_id  UUID    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    model_id    UUID    NOT NULL,
    history_at  BIGINT NOT NULL,
    computed_at BIGINT NOT NULL,
    items       JSONB   NOT NULL
);
