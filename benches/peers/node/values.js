// How values of the database look in an answer.

/** A global id: base64url of a letter and the bytes of one or two UUIDs. */
export function globalId(letter, ...uuids) {
  let hex = letter.charCodeAt(0).toString(16)
  for (const uuid of uuids) {
    hex += uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)
  }
  return Buffer.from(hex, 'hex').toString('base64url')
}

/** Microseconds since 1970 as RFC 3339, with as few digits of a fraction as it has. */
export function instant(micros) {
  if (micros === null) return null
  const text = new Date(Math.floor(micros / 1000)).toISOString()
  const fraction = ((micros % 1_000_000) + 1_000_000) % 1_000_000
  if (fraction === 0) return text.slice(0, 19) + 'Z'
  return text.slice(0, 20) + String(fraction).padStart(6, '0').replace(/0+$/, '') + 'Z'
}

const WHOLE = 1_000_000

/** The mean of a sum of millionths over so many lessons, between 0 and 1. Whole millionths, as Stoa counts. */
export function mean(sum, lessons) {
  if (lessons <= 0) return 0
  return Math.min(Math.max(Math.trunc(sum / lessons), 0), WHOLE) / WHOLE
}

/** The progress in a course: the whole once it was completed. */
export function courseProgress(row) {
  return row.completed_at !== null ? 1 : mean(row.progress_sum, row.lesson_count)
}

/** A score in millionths as a share. */
export function share(millionths) {
  return millionths === null ? null : Math.min(Math.max(millionths, 0), WHOLE) / WHOLE
}
