-- Progress that cannot lie: what learners report of their time, each report once, and what changes of a course did to their
-- progress. By learner: activity_beats, enrolment_changes.

-- Up to which version of the course's content its learner has taken notice of what changed; NULL for since she enrolled.
ALTER TABLE enrolments ADD COLUMN seen_content INTEGER;
-- The end of her latest beat there, and how much of what was reported could not be.
ALTER TABLE enrolments ADD COLUMN last_beat_at INTEGER;
ALTER TABLE enrolments ADD COLUMN capped_seconds INTEGER NOT NULL DEFAULT 0;
-- The version of the lesson's content that she saw last; since when the position holds; what she scored there, in millionths.
ALTER TABLE lesson_progress ADD COLUMN content_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE lesson_progress ADD COLUMN position_at INTEGER;
ALTER TABLE lesson_progress ADD COLUMN score INTEGER CHECK (score BETWEEN 0 AND 1000000);
ALTER TABLE lesson_progress ADD COLUMN scored_at INTEGER;

-- A beat says that its learner spent the seconds before an instant with a lesson. Kept as long as a beat may come late.
CREATE TABLE activity_beats (
    learner_id BLOB    NOT NULL,
    id         BLOB    NOT NULL CHECK (length(id) = 16), -- of the key that the client gave, or of our making
    course_id  BLOB    NOT NULL,
    lesson_id  BLOB    NOT NULL,
    session_id BLOB    NOT NULL CHECK (length(session_id) = 16), -- the tab or device; zeros where the client named none
    at         INTEGER NOT NULL, -- its end, in whole seconds of the server's time (in microseconds, as all times)
    client_at  INTEGER, -- its end as the client told it
    not_before INTEGER NOT NULL, -- when the session or the enrolment began: nothing before it counts
    seconds    INTEGER NOT NULL CHECK (seconds >= 0), -- what the client told
    position   INTEGER,
    capped     INTEGER NOT NULL CHECK (capped >= 0), -- how much of the seconds does not count
    reason     TEXT    CHECK (reason IN ('SINCE_LAST_BEAT', 'SINCE_BEGIN', 'FUTURE')), -- why, if it is marked
    PRIMARY KEY (learner_id, id),
    FOREIGN KEY (learner_id, course_id) REFERENCES enrolments (learner_id, course_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_beats_of_course ON activity_beats (learner_id, course_id, at);
CREATE INDEX activity_beats_by_time ON activity_beats (at);
CREATE INDEX activity_beats_marked ON activity_beats (learner_id, course_id, at) WHERE reason IS NOT NULL;

-- A learner's progress just before and just after a change of the course's content, until she has taken notice. There is no
-- row where it was 0 before, or where she had completed the course.
CREATE TABLE enrolment_changes (
    learner_id      BLOB    NOT NULL,
    course_id       BLOB    NOT NULL,
    version         INTEGER NOT NULL, -- of the course's content
    progress_before INTEGER NOT NULL CHECK (progress_before BETWEEN 0 AND 1000000),
    progress_now    INTEGER NOT NULL CHECK (progress_now BETWEEN 0 AND 1000000),
    PRIMARY KEY (learner_id, course_id, version),
    FOREIGN KEY (learner_id, course_id) REFERENCES enrolments (learner_id, course_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
