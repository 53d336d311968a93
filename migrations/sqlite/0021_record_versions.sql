-- A number that grows with each transaction that writes to what a learner did in the lessons of a course: whoever keeps that in memory
-- compares it (api/src/progress/kept.rs).
ALTER TABLE enrolments ADD COLUMN record_version INTEGER NOT NULL DEFAULT 0;
