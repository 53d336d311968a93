// What changed between two schemas, and which of it is allowed.
import { readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType } from "graphql";

/** The breaking changes from one schema to the next, as `{ path, message }`. */
export async function breaking(from, to) {
  const changes = await diff(buildSchema(from), buildSchema(to));
  return changes
    .filter((change) => change.criticality.level === CriticalityLevel.Breaking)
    .map(({ path, message }) => ({ path, message }));
}

/**
 * What docs/SCHEMA.md announces as broken on purpose since the last release: the first code of each entry under
 * `#### Breaking` of the version that is on top of the changelog.
 */
export function announced(document) {
  const changelog = document.split(/^## Changelog$/m)[1];
  if (changelog === undefined) {
    throw new Error("docs/SCHEMA.md has no heading `## Changelog`");
  }
  const latest = changelog.split(/^### /m)[1] ?? "";
  const section = latest.split(/^#### /m).find((part) => part.startsWith("Breaking")) ?? "";
  return new Set([...section.matchAll(/^- `([^`]+)`/gm)].map(([, path]) => path));
}

/** What a schema says may be removed, by its path: the date after which. */
export function promised(text) {
  const dates = new Map();
  const note = (path, { deprecationReason }) => {
    const date = deprecationReason?.match(/Removal after (\d{4}-\d{2}-\d{2})\.$/)?.[1];
    if (date) {
      dates.set(path, date);
    }
  };
  for (const type of Object.values(buildSchema(text).getTypeMap())) {
    if (isEnumType(type)) {
      type.getValues().forEach((value) => note(`${type.name}.${value.name}`, value));
    } else if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) {
        note(`${type.name}.${field.name}`, field);
        (field.args ?? []).forEach((argument) => note(`${type.name}.${field.name}.${argument.name}`, argument));
      }
    }
  }
  return dates;
}

/** What is wrong with a change from the released schema to the present one; `today` as `2027-01-31`. */
export async function faults({ released, current, document, today }) {
  const allowed = announced(document);
  const dates = promised(released);
  const found = await breaking(released, current);
  const wrong = [];
  for (const { path, message } of found) {
    if (!allowed.has(path)) {
      wrong.push(`${path}: ${message}. Deprecate it instead, or announce it in docs/SCHEMA.md under \`#### Breaking\``);
    } else if (dates.has(path) && today <= dates.get(path)) {
      wrong.push(`${path}: ${message}. It was promised until ${dates.get(path)}`);
    }
  }
  const paths = new Set(found.map(({ path }) => path));
  for (const path of allowed) {
    if (!paths.has(path)) {
      wrong.push(`${path}: docs/SCHEMA.md announces it as broken, and it is not`);
    }
  }
  return wrong;
}

export const read = (file) => readFileSync(new URL(file, import.meta.url), "utf8");
