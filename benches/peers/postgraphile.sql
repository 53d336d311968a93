-- The catalogue and forums as PostGraphile is to see them: views and functions whose names give Stoa's fields. Who asks is in
-- settings of the transaction: peers.viewer, and the courses that she takes and teaches.
CREATE SCHEMA peers_graph;

CREATE FUNCTION peers_graph.global_id(letter text, a uuid) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT translate(encode(letter::bytea || uuid_send(a), 'base64'), '+/=', '-_') $$;
CREATE FUNCTION peers_graph.global_id(letter text, a uuid, b uuid) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT translate(encode(letter::bytea || uuid_send(a) || uuid_send(b), 'base64'), '+/=', '-_') $$;
CREATE FUNCTION peers_graph.instant(micros bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT regexp_replace(to_char(to_timestamp(0) AT TIME ZONE 'UTC' + micros * interval '1 microsecond',
    'YYYY-MM-DD"T"HH24:MI:SS.US'), '\.?0+$', '') || 'Z' $$;
COMMENT ON FUNCTION peers_graph.global_id(text, uuid) IS E'@behavior -*';
COMMENT ON FUNCTION peers_graph.global_id(text, uuid, uuid) IS E'@behavior -*';
COMMENT ON FUNCTION peers_graph.instant(bigint) IS E'@behavior -*';

CREATE TYPE peers_graph.level AS ENUM ('BEGINNER', 'INTERMEDIATE', 'ADVANCED');
CREATE TYPE peers_graph.lesson_kind AS ENUM ('VIDEO', 'READING', 'EXERCISE', 'LINK');

CREATE VIEW peers_graph.course AS SELECT id AS key, peers_graph.global_id('C', id) AS id, slug, title,
    level::peers_graph.level AS level, status, open_forum, title_key FROM public.courses;
CREATE VIEW peers_graph.module AS SELECT id AS key, course_id AS course_key, peers_graph.global_id('M', id) AS id, title, status, position
    FROM public.modules;
CREATE VIEW peers_graph.lesson AS SELECT id AS key, course_id AS course_key, module_id AS module_key, peers_graph.global_id('L', id) AS id,
    title, kind::peers_graph.lesson_kind AS kind, seconds::int AS seconds, status, position FROM public.lessons;
CREATE VIEW peers_graph.forum AS SELECT id AS key FROM public.courses;
CREATE VIEW peers_graph.person AS SELECT a.id AS key, peers_graph.global_id('P', a.id) AS id,
    CASE WHEN a.id = current_setting('peers.viewer')::uuid
        OR EXISTS (SELECT 1 FROM public.course_staff s JOIN public.courses c ON c.id = s.course_id
            WHERE s.account_id = a.id AND (c.status <> 'DRAFT' OR s.course_id = ANY(current_setting('peers.teaches')::uuid[])))
        OR EXISTS (SELECT 1 FROM public.enrolments e WHERE e.learner_id = a.id AND e.left_at IS NULL
            AND e.course_id = ANY(current_setting('peers.takes')::uuid[]))
        OR EXISTS (SELECT 1 FROM public.enrolments e WHERE e.learner_id = a.id
            AND e.course_id = ANY(current_setting('peers.teaches')::uuid[])
            AND (LEAST(e.left_at, e.completed_at) IS NULL OR LEAST(e.left_at, e.completed_at) > current_setting('peers.kept_since')::bigint))
        THEN a.name END AS name
    FROM public.accounts a;
-- Who hides has no author here: nobody does in a generated campus.
CREATE VIEW peers_graph.thread AS SELECT course_id AS course_key, id AS key, peers_graph.global_id('D', course_id, id) AS id, title,
    peers_graph.instant(created_at) AS created_at, CASE WHEN anonymity = 'NONE' THEN author_id END AS author_key,
    created_at AS began, merged_into FROM public.threads;
CREATE VIEW peers_graph.post AS SELECT course_id AS course_key, id AS key, thread_id AS thread_key,
    peers_graph.global_id('R', course_id, id) AS id,
    CASE WHEN removed_at IS NULL OR author_id = current_setting('peers.viewer')::uuid THEN body END AS body,
    peers_graph.instant(created_at) AS created_at, CASE WHEN anonymity = 'NONE' THEN author_id END AS author_key,
    created_at AS written FROM public.posts;

COMMENT ON VIEW peers_graph.course IS E'@primaryKey key\n@behavior -query:resource:connection -query:resource:single';
COMMENT ON VIEW peers_graph.module IS E'@primaryKey key\n@behavior -query:resource:connection -query:resource:single';
COMMENT ON VIEW peers_graph.lesson IS E'@primaryKey key\n@behavior -query:resource:connection -query:resource:single';
COMMENT ON VIEW peers_graph.forum IS E'@primaryKey key\n@behavior -query:resource:connection -query:resource:single';
COMMENT ON VIEW peers_graph.person IS E'@primaryKey key\n@behavior -query:resource:connection -query:resource:single';
COMMENT ON VIEW peers_graph.thread IS
    E'@primaryKey course_key,key\n@foreignKey (author_key) references person (key)|@fieldName author|@behavior -connection -list\n@behavior -query:resource:connection -query:resource:single';
COMMENT ON VIEW peers_graph.post IS
    E'@primaryKey course_key,key\n@foreignKey (author_key) references person (key)|@fieldName author|@behavior -connection -list\n@behavior -query:resource:connection -query:resource:single';

CREATE FUNCTION peers_graph.courses() RETURNS SETOF peers_graph.course LANGUAGE sql STABLE AS
$$ SELECT * FROM peers_graph.course WHERE status = 'PUBLISHED' ORDER BY title_key, key $$;
CREATE FUNCTION peers_graph.course_by_slug(slug text) RETURNS peers_graph.course LANGUAGE sql STABLE AS
$$ SELECT * FROM peers_graph.course c WHERE c.slug = course_by_slug.slug
     AND (status <> 'DRAFT' OR key = ANY(current_setting('peers.teaches')::uuid[])) $$;
CREATE FUNCTION peers_graph.course_modules(c peers_graph.course) RETURNS SETOF peers_graph.module LANGUAGE sql STABLE AS
$$ SELECT * FROM peers_graph.module m WHERE m.course_key = c.key AND (m.status = 'PUBLISHED'
     OR (m.status = 'DRAFT' AND c.key = ANY(current_setting('peers.teaches')::uuid[]))) ORDER BY m.position, m.key $$;
COMMENT ON FUNCTION peers_graph.course_modules(peers_graph.course) IS E'@behavior +list -connection';
CREATE FUNCTION peers_graph.module_lessons(m peers_graph.module) RETURNS SETOF peers_graph.lesson LANGUAGE sql STABLE AS
$$ SELECT * FROM peers_graph.lesson l WHERE l.module_key = m.key AND (l.status = 'PUBLISHED'
     OR (l.status = 'DRAFT' AND m.course_key = ANY(current_setting('peers.teaches')::uuid[]))) ORDER BY l.position, l.key $$;
COMMENT ON FUNCTION peers_graph.module_lessons(peers_graph.module) IS E'@behavior +list -connection';
CREATE FUNCTION peers_graph.course_forum(c peers_graph.course) RETURNS peers_graph.forum LANGUAGE sql STABLE AS
$$ SELECT f FROM peers_graph.forum f WHERE f.key = c.key AND (c.key = ANY(current_setting('peers.teaches')::uuid[])
     OR (c.status <> 'DRAFT' AND (c.key = ANY(current_setting('peers.takes')::uuid[])
         OR (c.open_forum AND current_setting('peers.viewer') <> '')))) $$;
CREATE FUNCTION peers_graph.forum_threads(f peers_graph.forum) RETURNS SETOF peers_graph.thread LANGUAGE sql STABLE AS
$$ SELECT * FROM peers_graph.thread t WHERE t.course_key = f.key AND t.merged_into IS NULL ORDER BY t.began DESC, t.key DESC $$;
CREATE FUNCTION peers_graph.thread_posts(t peers_graph.thread) RETURNS SETOF peers_graph.post LANGUAGE sql STABLE AS
$$ SELECT * FROM peers_graph.post p WHERE p.course_key = t.course_key AND p.thread_key = t.key ORDER BY p.written, p.key $$;
