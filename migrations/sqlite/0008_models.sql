-- The life of models: their names, how they were judged, when they began to serve.

ALTER TABLE models ADD COLUMN name TEXT NOT NULL DEFAULT '' CHECK (length(name) <= 40);
-- How it was held against the one in use, as JSON; NULL if it was not.
ALTER TABLE models ADD COLUMN report TEXT;
-- When it was last chosen to serve; NULL if it never was. Going back to an older one changes nothing here.
ALTER TABLE models ADD COLUMN promoted_at INTEGER;
-- A short hash of the settings that it was trained with.
ALTER TABLE models ADD COLUMN settings TEXT NOT NULL DEFAULT '';
-- How many enrolments there were: another number means that there is something to learn.
ALTER TABLE models ADD COLUMN enrolments INTEGER NOT NULL DEFAULT 0;

UPDATE models SET promoted_at = trained_at, name = strftime('%Y-%m-%d', trained_at / 1000000, 'unixepoch') || '-' ||
    (SELECT COUNT(*) FROM models m WHERE m.trained_at / 86400000000 = models.trained_at / 86400000000
       AND (m.trained_at, m.id) <= (models.trained_at, models.id));
CREATE UNIQUE INDEX models_by_name ON models (name);

-- What came after the training, in the order in which it came.
CREATE INDEX enrolments_by_arrival ON enrolments (enrolled_at, learner_id, course_id);
