-- A number for each forum that grows with each transaction that writes to its threads or posts. Whoever keeps some of a forum in memory
-- looks at it (api/src/db/forums.rs). A forum without a row is at 0. By course.

CREATE TABLE forum_versions (
    course_id BLOB    NOT NULL PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
    version   INTEGER NOT NULL CHECK (version >= 0)
) STRICT, WITHOUT ROWID;
