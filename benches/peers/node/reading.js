// What the three operations read, in batches: one statement for a field, however many things it is asked of.
//
// All four servers share this: who differs is only who gathers the things of a batch. Each function takes the things, the
// field's arguments and the viewer, and answers with one value for each thing.
import { statement } from './pool.js'
import { courseProgress, globalId, instant, mean, share } from './values.js'

const COURSE = 'c.id, c.slug, c.title, c.level, c.status, c.open_forum, c.lesson_count'

const catalogue = statement(`
  SELECT ${COURSE} FROM courses c WHERE c.status = 'PUBLISHED' ORDER BY c.title_key, c.id LIMIT $1`)
const courseBySlug = statement(`SELECT ${COURSE} FROM courses c WHERE c.slug = $1`)
const modulesOf = statement(`
  SELECT id, course_id, title FROM modules
  WHERE course_id = ANY($1::uuid[]) AND (status = 'PUBLISHED' OR (status = 'DRAFT' AND course_id = ANY($2::uuid[])))
  ORDER BY course_id, position, id`)
const lessonsOf = statement(`
  SELECT id, module_id, title, kind, seconds FROM lessons
  WHERE module_id = ANY($1::uuid[]) AND (status = 'PUBLISHED' OR (status = 'DRAFT' AND course_id = ANY($2::uuid[])))
  ORDER BY module_id, position, id`)
const lessonsInCourses = statement(`
  SELECT id, module_id FROM lessons WHERE course_id = ANY($1::uuid[]) AND status = 'PUBLISHED'
  ORDER BY module_id, position, id`)
const threadsOf = statement(`
  SELECT t.course_id, t.id, t.author_id, t.title, t.created_at, t.anonymity
  FROM unnest($1::uuid[]) k(course) CROSS JOIN LATERAL (
    SELECT * FROM threads i WHERE i.course_id = k.course AND i.merged_into IS NULL
    ORDER BY i.created_at DESC, i.id DESC LIMIT $2) t
  ORDER BY t.created_at DESC, t.id DESC`)
const postsOf = statement(`
  SELECT p.course_id, p.id, p.thread_id, p.author_id, p.body, p.created_at, p.anonymity, p.removed_at
  FROM unnest($1::uuid[], $2::uuid[]) k(course, thread) CROSS JOIN LATERAL (
    SELECT * FROM posts i WHERE i.course_id = k.course AND i.thread_id = k.thread
    ORDER BY i.created_at, i.id LIMIT $3) p
  ORDER BY p.created_at, p.id`)
/** People, and what the viewer is to them: whether they teach, take what she takes (2), or take what she teaches (3). */
const peopleBy = statement(`
  SELECT a.id, a.name, a.email, a.education, a.time_zone,
    EXISTS (SELECT 1 FROM course_staff s JOIN courses c ON c.id = s.course_id
            WHERE s.account_id = a.id AND (c.status <> 'DRAFT' OR s.course_id = ANY($3::uuid[]))) AS teaches,
    EXISTS (SELECT 1 FROM enrolments e
            WHERE e.learner_id = a.id AND e.course_id = ANY($2::uuid[]) AND e.left_at IS NULL) AS is_classmate,
    (SELECT MIN(CASE WHEN e.left_at IS NULL THEN 1 ELSE 2 END) FROM enrolments e
     WHERE e.learner_id = a.id AND e.course_id = ANY($3::uuid[])
       AND (e.left_at IS NULL OR e.left_at > $4) AND (e.completed_at IS NULL OR e.completed_at > $4)) AS taught
  FROM accounts a WHERE a.id = ANY($1::uuid[])`)
/** People of whom it is known already what the viewer is to them. */
const accountsBy = statement(`
  SELECT id, name, email, education, time_zone FROM accounts WHERE id = ANY($1::uuid[])`)
const enrolmentsOf = statement(`
  SELECT e.learner_id, e.course_id, e.last_active_at, e.left_at, e.completed_at, e.seconds, e.progress_sum, ${COURSE}
  FROM enrolments e JOIN courses c ON c.id = e.course_id
  WHERE e.learner_id = $1 ORDER BY e.enrolled_at DESC, e.course_id DESC LIMIT $2`)
const classOf = statement(`
  SELECT learner_id, course_id, last_active_at, left_at, completed_at, seconds, progress_sum FROM enrolments
  WHERE course_id = $1 AND (left_at IS NULL OR left_at > $2) AND (completed_at IS NULL OR completed_at > $2)
  ORDER BY enrolled_at DESC, learner_id DESC LIMIT $3`)
const recordsOf = statement(`
  SELECT p.learner_id, p.course_id, p.lesson_id, p.seconds, p.progress, p.score
  FROM unnest($1::uuid[], $2::uuid[]) k(learner, course)
  JOIN lesson_progress p ON p.learner_id = k.learner AND p.course_id = k.course`)
const leftOffOf = statement(`
  SELECT p.position, l.id AS lesson_id, l.title AS lesson_title, l.status AS lesson_status, ${COURSE}
  FROM (SELECT e.course_id FROM enrolments e WHERE e.learner_id = $1 AND e.left_at IS NULL
          AND EXISTS (SELECT 1 FROM lesson_progress a WHERE a.learner_id = $1 AND a.course_id = e.course_id)
        ORDER BY e.last_active_at DESC, e.course_id LIMIT 1) e
  CROSS JOIN LATERAL (SELECT * FROM lesson_progress i WHERE i.learner_id = $1 AND i.course_id = e.course_id
        ORDER BY i.updated_at DESC, i.lesson_id LIMIT 1) p
  JOIN lessons l ON l.id = p.lesson_id JOIN courses c ON c.id = p.course_id`)
/**
 * The unread threads of all forums at once: of each forum the latest with a post of somebody else beyond the reader's mark. A
 * thread that others were merged into is read up to where all of them are.
 */
const unreadOf = statement(`
  SELECT k.course AS course_id, t.id, t.title, t.author_id, t.created_at, t.anonymity, t.unread
  FROM unnest($2::uuid[]) k(course)
  LEFT JOIN forum_reads f ON f.learner_id = $1 AND f.course_id = k.course
  CROSS JOIN LATERAL (
    SELECT i.*, u.unread FROM threads i
    CROSS JOIN LATERAL (
      SELECT r.read_at, r.post_id
      FROM (SELECT i.id UNION ALL SELECT x.id FROM threads x WHERE x.course_id = i.course_id AND x.merged_into = i.id) w
      LEFT JOIN thread_reads r ON r.learner_id = $1 AND r.course_id = i.course_id AND r.thread_id = w.id
      ORDER BY r.read_at NULLS FIRST, r.post_id LIMIT 1) m
    CROSS JOIN LATERAL (
      SELECT COUNT(*) AS unread FROM (
        SELECT p.author_id, p.removed_at FROM posts p
        WHERE p.course_id = i.course_id AND p.thread_id = i.id AND (p.created_at, p.id) > (
          GREATEST(m.read_at, f.read_at, -9223372036854775808),
          CASE WHEN f.read_at >= m.read_at OR (m.read_at IS NULL AND f.read_at IS NOT NULL)
            THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
            ELSE COALESCE(m.post_id, '00000000-0000-0000-0000-000000000000'::uuid) END)
        ORDER BY p.created_at, p.id LIMIT 200) n
      WHERE n.author_id <> $1 AND n.removed_at IS NULL) u
    WHERE i.course_id = k.course AND i.last_post_at > COALESCE(f.read_at, -9223372036854775808) AND u.unread > 0
    ORDER BY i.last_post_at DESC, i.id DESC LIMIT $3) t
  ORDER BY t.last_post_at DESC, t.id DESC`)
/** The list that Stoa keeps for the learner, as long as it is good: of this model, of this quarter of an hour, of all she did. */
const nextCoursesOf = statement(`
  SELECT l.about -> 'data_used' AS data_used, i.* FROM recommendation_lists l JOIN accounts a ON a.id = l.learner_id
  LEFT JOIN LATERAL (
    SELECT (x.item ->> 'score')::float8 AS score, x.item -> 'reasons' AS reasons, ${COURSE}
    FROM jsonb_array_elements(l.items) WITH ORDINALITY x(item, n)
    JOIN courses c ON c.id = (x.item ->> 'course')::uuid AND c.status <> 'DRAFT'
    ORDER BY x.n LIMIT $3) i ON TRUE
  WHERE l.learner_id = $1 AND l.computed_at > $2 AND l.list_id IS NOT NULL AND l.about IS NOT NULL
    AND l.model_id::text = (SELECT value FROM settings WHERE name = 'current_model')
    AND l.history_at = a.goals_at + a.feedback_at
      + COALESCE((SELECT MAX(e.last_active_at) + COUNT(*) FROM enrolments e WHERE e.learner_id = $1), 0)`)

const LIST_LIFE = 15 * 60 * 1_000_000
const REASONS = new Set(['POPULAR', 'POPULAR_NOW', 'TAKEN_NEXT', 'SIMILAR_TO', 'TIME_ON_TOPIC', 'COMPLETION_RATE', 'GOAL',
  'NEXT_LEVEL', 'PREREQUISITES_MET', 'FRESHNESS', 'LENGTH', 'NEXT_IN_CATALOGUE', 'COHORT', 'LIKELY_TO_COMPLETE', 'LIKED',
  'ENGINE'])

function grouped(rows, key) {
  const groups = new Map()
  for (const row of rows) {
    const group = groups.get(row[key])
    if (group === undefined) groups.set(row[key], [row])
    else group.push(row)
  }
  return groups
}

const courseOf = row => ({ row, id: globalId('C', row.id), slug: row.slug, title: row.title, level: row.level })
const found = (row, viewer) => (row !== undefined && viewer.finds(row) ? courseOf(row) : null)
const moduleOf = row => ({ row, id: globalId('M', row.id), title: row.title })
const lessonOf = row =>
  ({ id: globalId('L', row.id), title: row.title, kind: row.kind, seconds: row.seconds })
const threadOf = row => ({
  row,
  id: globalId('D', row.course_id, row.id),
  title: row.title,
  createdAt: instant(row.created_at),
  unreadCount: Math.min(row.unread ?? 0, 100),
})

function postOf(row, viewer) {
  const isShown = row.removed_at === null || row.author_id === viewer.id || viewer.moderates.has(row.course_id)
  return {
    row,
    id: globalId('R', row.course_id, row.id),
    body: isShown ? row.body : null,
    createdAt: instant(row.created_at),
  }
}

/** What the viewer is to somebody as a whole: the closest relation that sees anything here. */
function relationTo(row, viewer) {
  if (row.id === viewer.id) return viewer.canRead ? 'ONESELF' : null
  if (row.taught !== null) return row.taught === 1 ? 'STAFF' : 'FORMER_STAFF'
  if (row.is_classmate) return 'CLASSMATE'
  if (row.teaches) return 'AUDIENCE'
  return viewer.isOffice ? 'SUPPORT' : null
}

/** Somebody, with what of her is not for the viewer as null. */
export function personOf(row, viewer, relation = relationTo(row, viewer)) {
  const [isSelf, isShown] = [relation === 'ONESELF', relation !== null]
  const isOffice = isSelf || viewer.isOffice
  if (isShown && !isSelf && relation !== 'CLASSMATE' && relation !== 'AUDIENCE') {
    viewer.note(row.id, relation, 'IDENTITY', null)
  }
  return {
    row,
    id: globalId('P', row.id),
    name: isShown ? row.name : null,
    email: isOffice ? row.email : null,
    education: isSelf ? row.education : null,
    timeZone: isSelf ? row.time_zone : null,
  }
}

/** People by id, each read once in a request. */
async function people(ids, viewer) {
  const missing = [...new Set(ids)].filter(id => !viewer.people.has(id))
  if (missing.length > 0) {
    const reading = peopleBy(missing, [...viewer.takes], [...viewer.teaches], viewer.keptSince)
      .then(rows => new Map(rows.map(row => [row.id, personOf(row, viewer)])))
    for (const id of missing) viewer.people.set(id, reading)
  }
  return Promise.all(ids.map(async id => (await viewer.people.get(id)).get(id) ?? null))
}

/** Authors, but for those who hide from the viewer. */
async function authors(things, viewer) {
  const hidden = thing => {
    const { anonymity, author_id: author, course_id: course } = thing.row
    if (anonymity === 'NONE' || author === viewer.id || viewer.moderates.has(course)) return false
    return anonymity !== 'CLASSMATES' || !viewer.teaches.has(course)
  }
  const wanted = things.filter(thing => !hidden(thing))
  const shown = await people(wanted.map(thing => thing.row.author_id), viewer)
  const byThing = new Map(wanted.map((thing, n) => [thing, shown[n]]))
  return things.map(thing => byThing.get(thing) ?? null)
}

function enrolmentOf(row, course, viewer) {
  const relation = row.learner_id === viewer.id ? 'ONESELF' : viewer.asStaff(row)
  const isEngagementShown = relation !== 'FORMER_STAFF'
  if (relation !== 'ONESELF') {
    viewer.note(row.learner_id, relation, 'LEARNING_RECORD', row.course_id)
    if (isEngagementShown) viewer.note(row.learner_id, relation, 'ENGAGEMENT', row.course_id)
  }
  return {
    row,
    course,
    relation,
    isEngagementShown,
    progress: courseProgress({ ...row, lesson_count: course.row.lesson_count }),
    seconds: isEngagementShown ? row.seconds : null,
    completedAt: instant(row.completed_at),
    lastActiveAt: isEngagementShown ? instant(row.last_active_at) : null,
  }
}

const NOTHING = { seconds: 0, progress: 0, score: null }

function moduleProgress(row, lessons, record, enrolment) {
  const steps = lessons.map(lesson => record.get(lesson.id) ?? NOTHING)
  const sum = key => steps.reduce((sum, step) => sum + step[key], 0)
  return {
    enrolment,
    steps,
    module: moduleOf(row),
    progress: mean(sum('progress'), steps.length),
    seconds: enrolment.isEngagementShown ? sum('seconds') : null,
  }
}

/** The fields of `Query`. */
export const roots = {
  courses: async ({ first }) => ({ nodes: (await catalogue(first)).map(courseOf) }),
  course: async ({ slug }, viewer) => found((await courseBySlug(slug))[0], viewer),
  me: (_, viewer) => (viewer.account === null ? null : personOf(viewer.account, viewer, 'ONESELF')),
}

/** Fields that need no statement: what they take is there. */
export const plain = {
  Course: { forum: (course, _, viewer) => (viewer.readsForum(course.row) ? { course: course.row } : null) },
  Enrolment: { course: (enrolment, _, viewer) => (viewer.finds(enrolment.course.row) ? enrolment.course : null) },
  ModuleProgress: {
    lessons: ({ steps, enrolment }, _, viewer) => {
      const { learner_id: learner, course_id: course } = enrolment.row
      if (enrolment.relation !== 'ONESELF' && steps.length > 0) {
        viewer.note(learner, enrolment.relation, 'ASSESSMENT', course)
      }
      return steps.map(step => ({ score: share(step.score) }))
    },
  },
}

/** Fields that are read for many things at once. */
export const batched = {
  Course: {
    modules: async (courses, _, viewer) => {
      const rows = grouped(await modulesOf(courses.map(course => course.row.id), [...viewer.teaches]), 'course_id')
      return courses.map(course => (rows.get(course.row.id) ?? []).map(moduleOf))
    },
    learners: (courses, { first }, viewer) => Promise.all(courses.map(async course => {
      if (!viewer.teaches.has(course.row.id)) return null
      const rows = await classOf(course.row.id, viewer.keptSince, first)
      return { nodes: rows.map(row => enrolmentOf(row, course, viewer)) }
    })),
  },
  Module: {
    lessons: async (modules, _, viewer) => {
      const rows = grouped(await lessonsOf(modules.map(module => module.row.id), [...viewer.teaches]), 'module_id')
      return modules.map(module => (rows.get(module.row.id) ?? []).map(lessonOf))
    },
  },
  Forum: {
    threads: async (forums, { first }) => {
      const rows = grouped(await threadsOf(forums.map(forum => forum.course.id), first), 'course_id')
      return forums.map(forum => ({ nodes: (rows.get(forum.course.id) ?? []).map(threadOf) }))
    },
    unreadThreads: async (forums, { first }, viewer) => {
      if (!viewer.canRead) return forums.map(() => null)
      const rows = grouped(await unreadOf(viewer.id, forums.map(forum => forum.course.id), first), 'course_id')
      return forums.map(forum => ({ nodes: (rows.get(forum.course.id) ?? []).map(threadOf) }))
    },
  },
  Thread: {
    author: (threads, _, viewer) => authors(threads, viewer),
    posts: async (threads, { first }, viewer) => {
      const [courses, ids] = [threads.map(thread => thread.row.course_id), threads.map(thread => thread.row.id)]
      const rows = grouped(await postsOf(courses, ids, first), 'thread_id')
      return threads.map(({ row }) => ({ nodes: (rows.get(row.id) ?? []).map(post => postOf(post, viewer)) }))
    },
  },
  Post: { author: (posts, _, viewer) => authors(posts, viewer) },
  Enrolment: {
    learner: async (enrolments, _, viewer) => {
      // Whoever takes the viewer's course shows as much of herself as any other meeting would show, so nothing else is asked.
      const rows = await accountsBy(enrolments.map(enrolment => enrolment.row.learner_id))
      const byId = new Map(rows.map(row => [row.id, row]))
      return enrolments.map(({ row, relation }) => {
        const account = byId.get(row.learner_id)
        return account === undefined ? null : personOf(account, viewer, relation)
      })
    },
    modules: async (enrolments, _, viewer) => {
      const courses = [...new Set(enrolments.map(enrolment => enrolment.row.course_id))]
      const [modules, lessons, records] = await Promise.all([
        modulesOf(courses, []),
        lessonsInCourses(courses),
        recordsOf(enrolments.map(({ row }) => row.learner_id), enrolments.map(({ row }) => row.course_id)),
      ])
      const [ofCourse, ofModule] = [grouped(modules, 'course_id'), grouped(lessons, 'module_id')]
      const ofEnrolment = new Map(enrolments.map(({ row }) => [row.learner_id + row.course_id, new Map()]))
      for (const row of records) ofEnrolment.get(row.learner_id + row.course_id).set(row.lesson_id, row)
      return enrolments.map(enrolment => {
        if (!viewer.finds(enrolment.course.row)) return []
        const record = ofEnrolment.get(enrolment.row.learner_id + enrolment.row.course_id)
        return (ofCourse.get(enrolment.row.course_id) ?? []).map(module =>
          moduleProgress(module, ofModule.get(module.id) ?? [], record, enrolment))
      })
    },
  },
  Person: {
    leftOff: (people, _, viewer) => own(people, viewer, async id => {
      const [row] = await leftOffOf(id)
      if (row === undefined) return null
      const course = found(row, viewer)
      // What was retired shows to her still: she has a record of it.
      const isShown = course !== null && (row.lesson_status !== 'DRAFT' || viewer.teaches.has(row.id))
      const lesson = isShown ? lessonOf({ id: row.lesson_id, title: row.lesson_title }) : null
      return { position: row.position, lesson, course }
    }),
    enrolments: (people, { first }, viewer) => own(people, viewer, async id => {
      const rows = await enrolmentsOf(id, first)
      return { nodes: rows.map(row => enrolmentOf(row, courseOf(row), viewer)) }
    }),
    nextCourses: (people, { first }, viewer) => own(people, viewer, async id => {
      const rows = await nextCoursesOf(id, viewer.now - LIST_LIFE, first)
      const items = rows.filter(row => row.id !== null).map(row => ({
        score: row.score,
        course: courseOf(row),
        reasons: row.reasons.filter(reason => REASONS.has(reason.kind)),
      }))
      return { personalised: (rows[0]?.data_used ?? []).length > 0, items }
    }),
  },
}

/** What is for nobody but the person herself. */
function own(people, viewer, read) {
  return Promise.all(people.map(({ row }) => (row.id === viewer.id && viewer.canRead ? read(row.id) : null)))
}
