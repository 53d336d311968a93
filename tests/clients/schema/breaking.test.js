// Whoever built on the last release's schema goes on working: released.graphql is that schema.
import assert from "node:assert/strict";
import test from "node:test";
import { announced, faults, read } from "./changes.js";

const today = new Date().toISOString().slice(0, 10);

test("nothing breaks that was released, unless docs/SCHEMA.md announces it", async () => {
  const wrong = await faults({
    released: read("released.graphql"),
    current: read("../../../schema.graphql"),
    document: read("../../../docs/SCHEMA.md"),
    today,
  });
  assert.deepEqual(wrong, [], `\n${wrong.join("\n")}\n`);
});

const RELEASED = `
  type Query { course(slug: String!): Course, old: Int @deprecated(reason: "Use \`course\`. Removal after 2027-06-30.") }
  type Course { title: String! }
`;
const page = (entries) => `## Changelog\n\n### 0.2.0 – unreleased\n\n#### Breaking\n\n${entries}\n### 0.1.0\n\n#### Breaking\n\n- \`Query.course\`: long ago\n`;
const judge = (current, entries = "", day = "2027-01-01") =>
  faults({ released: RELEASED, current, document: page(entries), today: day });

test("what is added breaks nothing", async () => {
  assert.deepEqual(await judge(`${RELEASED} extend type Course { id: ID }`), []);
});

test("what is removed, renamed, made nullable or asked for is named", async () => {
  for (const [from, to, path] of [
    ["title: String!", "name: String!", "Course.title"],
    ["title: String!", "title: String", "Course.title"],
    ["course(slug: String!)", "course(slug: String!, language: String!)", "Query.course.language"],
  ]) {
    const wrong = await judge(RELEASED.replace(from, to));
    assert.equal(wrong.length, 1, wrong.join("\n"));
    assert.ok(wrong[0].startsWith(`${path}: `), wrong[0]);
  }
});

test("an entry in the changelog allows one change and no other", async () => {
  const renamed = RELEASED.replace("title: String!", "name: String!");
  assert.deepEqual(await judge(renamed, "- `Course.title`: it is `name` now. 2027-01-01\n"), []);
  assert.equal((await judge(RELEASED, "- `Course.title`: it is `name` now. 2027-01-01\n")).length, 1, "it announces what is not so");
  assert.deepEqual([...announced(page(""))], [], "what an older version broke is no excuse");
});

test("what is deprecated stays until the day that was promised", async () => {
  const removed = RELEASED.replace(/, old: .*\)/, "");
  const entry = "- `Query.old`: use `course`. 2027-07-01\n";
  assert.match((await judge(removed, entry, "2027-06-30"))[0], /promised until 2027-06-30/);
  assert.deepEqual(await judge(removed, entry, "2027-07-01"), []);
});
