// Whose request it is, what she is to courses and people, and what she has looked at.
import { createHash } from 'node:crypto'
import { statement } from './pool.js'

/** A token and, in the same round trip, all that its holder is: to courses, and by job function. */
const holder = statement(`
  SELECT t.id AS token_id, t.scopes, t.expires_at, t.revoked_at, a.status, a.id, a.name, a.email, a.education, a.time_zone,
    (SELECT json_agg(json_build_array(i.course_id, i.what)) FROM (
       SELECT course_id, 'LEARNER' AS what FROM enrolments WHERE learner_id = $1 AND left_at IS NULL
       UNION ALL SELECT course_id, role FROM course_staff WHERE account_id = $1
       UNION ALL SELECT NULL, role FROM account_roles WHERE account_id = $1) i) AS involvement
  FROM access_tokens t JOIN accounts a ON a.id = t.account_id
  WHERE t.account_id = $1 AND t.secret_hash = $2`)

const noteLooks = statement(`
  INSERT INTO peers.looks (request, position, person_id, actor_id, relation, category, course_id, credential_id, at)
  SELECT $1, n, person, $2, relation, category, course, $3, $4
  FROM unnest($5::uuid[], $6::text[], $7::text[], $8::uuid[]) WITH ORDINALITY u(person, relation, category, course, n)`)

/** Somebody whose token is not good. */
export class Unauthenticated extends Error {
  statusCode = 401
}

const hex = (bytes, from, to) => bytes.toString('hex', from, to)
const PREFIX = 'Bearer stoa_'
const KEPT_FOR = 365 * 86_400_000_000

/** Finds the viewer by the header `Authorization`. */
export async function authenticate(header) {
  if (header === undefined) return new Viewer(null, null)
  if (!header.startsWith(PREFIX)) throw new Unauthenticated('a bearer token is wanted')
  const bytes = Buffer.from(header.slice(PREFIX.length), 'base64url')
  if (bytes.length !== 48) throw new Unauthenticated('the bearer token is not valid')
  const h = hex(bytes, 0, 16)
  const account = `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`
  const [token] = await holder(account, createHash('sha256').update(bytes.subarray(16)).digest())
  const now = Date.now() * 1000
  const isGood = token && token.revoked_at === null && token.status !== 'SUSPENDED' &&
    (token.expires_at === null || token.expires_at > now)
  if (!isGood) throw new Unauthenticated('the bearer token is not valid')
  return new Viewer(account, token, now)
}

/** Who asks. The rules are those of api/src/access/table.rs, as far as the three operations meet them. */
export class Viewer {
  constructor(id, token, now = Date.now() * 1000) {
    const scopes = token === null ? [] : token.scopes.split(',')
    this.canRead = scopes.includes('READ')
    this.id = id
    this.account = token
    this.credential = token?.token_id ?? null
    this.now = now
    this.keptSince = now - KEPT_FOR
    this.takes = new Set()
    this.teaches = new Set()
    this.moderates = new Set()
    this.isOffice = false
    this.looks = new Map()
    this.coursesOf = new Map() // in which courses somebody was looked at, by person and relation
    this.people = new Map() // who was read in this request
    this.loaders = new Map()
    if (!this.canRead) return
    const people = scopes.includes('PEOPLE')
    for (const [course, what] of token.involvement ?? []) {
      if (what === 'LEARNER') this.takes.add(course)
      else if (course === null) this.isOffice ||= people && (what === 'SUPPORT' || what === 'ADMINISTRATOR')
      else if (people) {
        this.teaches.add(course)
        if (what === 'INSTRUCTOR') this.moderates.add(course)
      }
    }
  }

  /** Whether she may know of a course. */
  finds(course) {
    return course.status !== 'DRAFT' || this.teaches.has(course.id)
  }

  /** Whether she may read a course's forum. */
  readsForum(course) {
    if (this.teaches.has(course.id)) return true
    return course.status !== 'DRAFT' && (this.takes.has(course.id) || (course.open_forum && this.canRead))
  }

  /** What the staff of a course are to somebody who takes or took it: null if it is too long ago. */
  asStaff(row) {
    if (row.left_at !== null && row.left_at <= this.keptSince) return null
    if (row.completed_at !== null && row.completed_at <= this.keptSince) return null
    return row.left_at === null ? 'STAFF' : 'FORMER_STAFF'
  }

  /** Notes a look at somebody's data: one row with all categories, however often she looks in this request. */
  note(person, relation, category, course) {
    const key = `${person}${relation}${course}`
    const look = this.looks.get(key)
    if (look) look.categories.add(category)
    else this.looks.set(key, { person, relation, course, categories: new Set([category]) })
    if (course === null) return
    const courses = this.coursesOf.get(person + relation)
    if (courses) courses.add(course)
    else this.coursesOf.set(person + relation, new Set([course]))
  }

  /** Writes what was looked at; the answer waits for it. */
  async writeLooks() {
    if (this.looks.size === 0) return
    const [people, relations, categories, courses] = [[], [], [], []]
    // What is of a person as a whole goes with the course in which she was looked at, if it was one.
    for (const whole of [...this.looks.values()].filter(look => look.course === null)) {
      const one = this.coursesOf.get(whole.person + whole.relation)
      if (one === undefined || one.size > 1) continue
      const look = this.looks.get(`${whole.person}${whole.relation}${[...one][0]}`)
      for (const category of whole.categories) look.categories.add(category)
      this.looks.delete(`${whole.person}${whole.relation}null`)
    }
    for (const look of this.looks.values()) {
      people.push(look.person)
      relations.push(look.relation)
      categories.push([...look.categories].join(','))
      courses.push(look.course)
    }
    this.looks.clear()
    this.coursesOf.clear()
    await noteLooks(crypto.randomUUID(), this.id, this.credential, this.now, people, relations, categories, courses)
  }
}
