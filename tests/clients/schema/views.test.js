// `stoa schema --as ROLE` prints schemas that tools can build.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { buildSchema, validateSchema } from "graphql";
import { read } from "./changes.js";

const ROLES = ["anybody", "learner", "instructor", "assistant", "support", "analyst", "administrator"];
const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../../target", import.meta.url));
const program = [process.env.STOA_PROGRAM, `${target}/debug/stoa`, `${target}/release/stoa`].find(
  (file) => file && existsSync(file),
);

test("schema.graphql is a schema", () => {
  assert.deepEqual(validateSchema(buildSchema(read("../../../schema.graphql"))), []);
});

for (const role of ROLES) {
  test(`what ${role} sees is a schema`, { skip: program ? false : "there is no program `stoa`: cargo build" }, () => {
    const text = execFileSync(program, ["schema", "--as", role], { encoding: "utf8", maxBuffer: 1 << 26 });
    const schema = buildSchema(text);
    assert.deepEqual(validateSchema(schema), []);
    assert.ok(schema.getType("Course"), "the catalogue is for everybody");
  });
}
