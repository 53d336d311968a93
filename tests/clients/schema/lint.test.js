// Naming rules: what eslint.config.js says of schema.graphql.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import config, { EXCEPTIONS } from "./eslint.config.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
const current = fileURLToPath(new URL("../../../schema.graphql", import.meta.url));

/** What the rules find in a schema, as `line: rule: message`. */
async function findings(text, schema = current) {
  const [entry] = config;
  const parserOptions = { graphQLConfig: { schema } };
  const overrideConfig = [{ ...entry, languageOptions: { ...entry.languageOptions, parserOptions } }];
  const eslint = new ESLint({ cwd: folder, overrideConfigFile: true, overrideConfig });
  const [result] = await eslint.lintText(text, { filePath: join(folder, "schema.graphql") });
  return result.messages.map(({ line, ruleId, message }) => `${line}: ${ruleId}: ${message}`);
}

test("schema.graphql keeps the rules", async () => {
  const found = await findings(readFileSync(current, "utf8"));
  const excused = (line) => EXCEPTIONS.find((message) => line.includes(message));
  const left = found.filter((line) => !excused(line));
  assert.deepEqual(left, [], `\n${left.join("\n")}\n`);
  assert.deepEqual(EXCEPTIONS.filter((message) => !found.some((line) => line.includes(message))), [], "these excuse nothing");
});

test("the rules find what breaks them", async () => {
  const scratch = mkdtempSync(join(tmpdir(), "stoa-schema-"));
  try {
    const file = join(scratch, "schema.graphql");
    const text = `
      "Reads."
      type Query {
        getThing: thing!
      }
      "A thing."
      type thing {
        thingName: String
      }
      "Nobody leads here."
      type Island { "The id." id: ID! }
      "A page."
      type PageConnection { "What is there." edges: [Int!]! "Where." pageInfo: String }
      type PageInfo { hasNextPage: Boolean }
      enum Colour { red }
    `;
    writeFileSync(file, text);
    const found = await findings(text, file);
    for (const rule of [
      "naming-convention", "no-typename-prefix", "no-unreachable-types", "require-description", "strict-id-in-types",
      "require-nullable-result-in-root", "relay-connection-types", "relay-page-info",
    ]) {
      assert.ok(found.some((line) => line.includes(`@graphql-eslint/${rule}:`)), `${rule} in\n${found.join("\n")}`);
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
});
