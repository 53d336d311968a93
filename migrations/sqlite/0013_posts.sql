-- What becomes of a post once it is written. All of it is by course.

-- Under which number somebody who hides is known in a thread: the same for all that she posts there with the same anonymity.
ALTER TABLE posts ADD COLUMN alias INTEGER CHECK (alias > 0);
CREATE INDEX aliases_of_thread ON posts (course_id, thread_id, alias) WHERE alias IS NOT NULL;
CREATE INDEX aliases_of_author ON posts (course_id, thread_id, author_id) WHERE alias IS NOT NULL;

-- The order by votes.
CREATE INDEX posts_by_votes ON posts (course_id, thread_id, votes, id);

-- Who voted for a post. The sum is kept in posts.votes.
CREATE TABLE post_votes (
    course_id BLOB NOT NULL,
    post_id   BLOB NOT NULL,
    voter_id  BLOB NOT NULL,
    voted_at  INTEGER NOT NULL,
    PRIMARY KEY (course_id, post_id, voter_id),
    FOREIGN KEY (course_id, post_id) REFERENCES posts (course_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What a post said before an edit, and as what somebody edited it.
CREATE TABLE post_revisions (
    course_id BLOB NOT NULL,
    post_id   BLOB NOT NULL,
    id        BLOB NOT NULL CHECK (length(id) = 16),
    version   INTEGER NOT NULL CHECK (version > 0),
    body      TEXT NOT NULL,
    edited_at INTEGER NOT NULL,
    edited_as TEXT NOT NULL CHECK (edited_as IN ('AUTHOR', 'MODERATOR')),
    editor_id BLOB NOT NULL,
    reason    TEXT CHECK (length(reason) BETWEEN 1 AND 500),
    PRIMARY KEY (course_id, post_id, id),
    FOREIGN KEY (course_id, post_id) REFERENCES posts (course_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- How deep the posts are that are there already.
WITH RECURSIVE tree (course_id, id, depth) AS (
    SELECT course_id, id, CAST(0 AS INTEGER) FROM posts WHERE reply_to IS NULL
    UNION ALL
    SELECT p.course_id, p.id, t.depth + 1 FROM tree t JOIN posts p ON p.course_id = t.course_id AND p.reply_to = t.id
)
UPDATE posts SET depth = tree.depth FROM tree
WHERE posts.course_id = tree.course_id AND posts.id = tree.id AND tree.depth > 0;
