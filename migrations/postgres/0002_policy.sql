-- What the policy needs: when a learner left a course, and a class found by its course.

ALTER TABLE enrolments ADD COLUMN left_at BIGINT;

CREATE INDEX enrolments_of_course ON enrolments (course_id, enrolled_at, learner_id);
CREATE INDEX enrolments_by_progress ON enrolments (course_id, progress_sum, learner_id);
CREATE INDEX enrolments_by_activity ON enrolments (course_id, last_active_at, learner_id);
