// Checking a query and its variables against the schema while they are written. The server's own
// validation has the last word; these are the rules whose breach is worth underlining at once.

import { isRequired, namedOf, nullable, typeText } from './schema.js';
import { variableType } from './complete.js';

/** Problems in a parsed query: `{ from, to, message, warning? }`, by place. */
export function checkQuery(schema, doc) {
  const problems = [...doc.problems];
  if (schema) new Check(schema, doc, problems).run();
  return problems.sort((a, b) => a.from - b.from);
}

class Check {
  constructor(schema, doc, problems) {
    Object.assign(this, { schema, doc, problems });
    this.fragments = new Map();
    this.spread = new Set();
  }

  add(at, message, warning = false) {
    if (at) this.problems.push({ from: at.start, to: at.end, message, warning });
  }

  run() {
    const operations = this.doc.definitions.filter((d) => d.kind === 'Operation');
    const names = new Set();
    for (const d of this.doc.definitions) {
      if (!d.name) continue;
      const key = `${d.kind} ${d.name.text}`;
      if (names.has(key)) this.add(d.name, `There is another ${d.kind.toLowerCase()} called “${d.name.text}”.`);
      names.add(key);
      if (d.kind === 'Fragment') this.fragments.set(d.name.text, d);
    }
    for (const o of operations) {
      if (operations.length > 1 && !o.name) this.add({ start: o.start, end: o.start + 1 }, 'With several operations, each needs a name.');
      if (!this.schema.root(o.operation)) this.add({ start: o.start, end: o.start + o.operation.length }, `This server has no ${o.operation} operations.`);
    }
    this.doc.definitions.forEach((d) => this.definition(d));
    for (const [name, d] of this.fragments) if (!this.spread.has(name)) this.add(d.name, `The fragment “${name}” is not used.`);
  }

  definition(d) {
    const used = new Map();
    const seen = new Set();
    // A variable may be used in fragments, so each operation looks through those it reaches.
    const collect = (set) => {
      for (const s of set?.selections ?? []) {
        for (const holder of [s, ...(s.directives ?? [])]) for (const arg of holder.args ?? []) variablesIn(arg, used);
        collect(s.set);
        if (s.kind === 'Spread' && !seen.has(s.name.text)) {
          seen.add(s.name.text);
          collect(this.fragments.get(s.name.text)?.set);
        }
      }
    };
    if (d.kind === 'Operation') {
      collect(d.set);
      d.directives.forEach((x) => x.args.forEach((arg) => variablesIn(arg, used)));
      this.variables(d, used);
    } else if (d.condition) {
      this.condition(d.condition);
    }
    this.directives(d);
    if (d.set) this.selections(d.set);
  }

  variables(operation, used) {
    const declared = new Map();
    for (const v of operation.variables) {
      if (!v.name) continue;
      if (declared.has(v.name.text)) this.add(v.name, `“$${v.name.text}” is declared twice.`);
      declared.set(v.name.text, v);
      const type = namedOf(v.type);
      if (type && !this.schema.type(type)) this.add(v.name, `There is no type “${type}”${near(type, [...this.schema.types.keys()])}`);
      if (!used.has(v.name.text)) this.add(v.name, `“$${v.name.text}” is not used.`);
      if (v.value) this.value(v.value, v.type);
    }
    for (const [name, uses] of used) {
      const variable = declared.get(name);
      for (const { node, holder } of uses) {
        const wanted = this.schema.inputTypeOf(holder);
        if (!variable) this.add(node.name, `“$${name}” is not declared: add it to the operation’s variables.`);
        else if (wanted && variable.type && !fits(variable.type, wanted, Boolean(variable.value))) {
          this.add(node.name, `“$${name}” is ${typeText(variable.type)}, but ${typeText(wanted)} is needed here.`);
        }
      }
    }
  }

  condition(token) {
    const type = this.schema.type(token.text);
    if (!type) this.add(token, `There is no type “${token.text}”${near(token.text, [...this.schema.types.keys()])}`);
    else if (!this.schema.isComposite(type)) this.add(token, `“${type.name}” has no fields to select.`);
  }

  selections(set) {
    const type = this.schema.typeOfSet(set);
    for (const s of set.selections) {
      this.directives(s);
      if (s.kind === 'Field') this.field(s, type);
      else if (s.kind === 'Spread') {
        this.spread.add(s.name.text);
        const on = this.fragments.get(s.name.text);
        if (!on) this.add(s.name, `There is no fragment “${s.name.text}”${near(s.name.text, [...this.fragments.keys()])}`);
        else this.applies(s.name, on.condition?.text, type);
      } else {
        if (s.condition) {
          this.condition(s.condition);
          this.applies(s.condition, s.condition.text, type);
        }
        if (s.set) this.selections(s.set);
      }
    }
  }

  applies(token, name, outer) {
    const inner = this.schema.type(name);
    if (this.schema.isComposite(inner) && this.schema.isComposite(outer) && !this.schema.overlap(inner, outer)) {
      this.add(token, `A “${outer.name}” is never a “${inner.name}”.`);
    }
  }

  field(node, type) {
    if (!node.name || !type) {
      if (node.set && type) this.selections(node.set);
      return;
    }
    const field = this.schema.field(type, node.name.text);
    if (!field) {
      this.add(node.name, `“${type.name}” has no field “${node.name.text}”${near(node.name.text, [...type.fieldMap.keys()])}`);
      return; // what is inside cannot be judged
    }
    if (field.isDeprecated) this.add(node.name, `“${field.name}” is deprecated. ${field.deprecationReason ?? ''}`.trim(), true);
    this.args(node.args, field, node.name, `“${field.name}”`);
    const composite = this.schema.isComposite(this.schema.type(namedOf(field.type)));
    if (composite && !node.set) this.add(node.name, `“${field.name}” is ${typeText(field.type)}: choose fields of it in “{ … }”.`);
    else if (!composite && node.set) this.add(node.name, `“${field.name}” is ${typeText(field.type)} and has no fields to select.`);
    else if (node.set) this.selections(node.set);
  }

  directives(owner) {
    for (const d of owner.directives ?? []) {
      if (!d.name) continue;
      const directive = this.schema.directives.get(d.name.text);
      if (!directive) this.add(d.name, `There is no directive “@${d.name.text}”${near(d.name.text, [...this.schema.directives.keys()])}`);
      else this.args(d.args, directive, d.name, `“@${directive.name}”`);
    }
  }

  args(given, owner, at, what) {
    this.inputs(given, owner.argMap, at, `${what} takes no argument`, `${what} needs the argument`);
  }

  inputs(given, known, at, unknown, missing) {
    for (const g of given) {
      const input = known.get(g.name.text);
      if (!input) this.add(g.name, `${unknown} “${g.name.text}”${near(g.name.text, [...known.keys()])}`);
      else if (g.value) this.value(g.value, input.type);
    }
    const names = new Set(given.map((g) => g.name.text));
    for (const input of known.values()) {
      if (isRequired(input) && !names.has(input.name)) this.add(at, `${missing} “${input.name}: ${typeText(input.type)}”.`);
    }
  }

  value(node, ref) {
    if (!ref || node.kind === 'Variable') return;
    const at = { start: node.start, end: node.end };
    if (node.kind === 'Literal' && node.token.text === 'null') {
      if (ref.kind === 'NON_NULL') this.add(at, `${typeText(ref)} may not be null.`);
      return;
    }
    const inner = nullable(ref);
    if (node.kind === 'List') {
      if (inner.kind === 'LIST') node.items.forEach((item) => this.value(item, inner.ofType));
      else this.add(at, `Expected one ${inner.name}, not a list.`);
      return;
    }
    const type = this.schema.type(namedOf(inner));
    if (node.kind === 'Object') {
      if (type?.kind === 'INPUT_OBJECT') {
        this.inputs(node.fields, type.fieldMap, { start: node.start, end: node.start + 1 }, `“${type.name}” has no field`, `“${type.name}” needs`);
      } else if (type && type.kind !== 'SCALAR') this.add(at, `Expected ${typeText(inner)}.`);
      return;
    }
    if (type && !literalFits(type, node.token)) {
      const choices = type.kind === 'ENUM' ? `: ${type.enumValues.map((v) => v.name).slice(0, 8).join(', ')}` : '';
      this.add(at, `“${node.token.text.slice(0, 30)}” is not ${/^[AEIO]/.test(type.name) ? 'an' : 'a'} ${type.name}${choices}.`);
    }
  }
}

function literalFits(type, { kind, text }) {
  if (type.kind === 'ENUM') return type.enumValues.some((v) => v.name === text);
  if (type.kind === 'INPUT_OBJECT') return false;
  switch (type.name) {
    case 'Int': return /^-?\d+$/.test(text);
    case 'Float': return kind === 'number';
    case 'String': return kind === 'string';
    case 'Boolean': return text === 'true' || text === 'false';
    case 'ID': return kind === 'string' || /^-?\d+$/.test(text);
    default: return true; // a custom scalar: only the server knows
  }
}

/** Whether a variable of one type may stand where another is wanted. */
function fits(have, want, hasDefault) {
  if (want.kind === 'NON_NULL') {
    return have.kind === 'NON_NULL' ? fits(have.ofType, want.ofType) : hasDefault && fits(have, want.ofType);
  }
  if (have.kind === 'NON_NULL') return fits(have.ofType, want);
  if (want.kind === 'LIST' || have.kind === 'LIST') return want.kind === have.kind && fits(have.ofType, want.ofType);
  return have.name === want.name;
}

function variablesIn(holder, used) {
  const node = holder.value ?? null;
  const visit = (value, at) => {
    if (!value) return;
    if (value.kind === 'Variable' && value.name) {
      if (!used.has(value.name.text)) used.set(value.name.text, []);
      used.get(value.name.text).push({ node: value, holder: at });
    }
    value.items?.forEach((item) => visit(item, value));
    value.fields?.forEach((field) => visit(field.value, field));
  };
  visit(node, holder);
}

/** “ — did you mean …?”, or just the full stop. */
function near(word, names) {
  const best = names.map((name) => [distance(word.toLowerCase(), name.toLowerCase()), name]).sort((a, b) => a[0] - b[0])[0];
  return best && best[0] <= Math.max(1, Math.floor(word.length / 3)) ? `; did you mean “${best[1]}”?` : '.';
}

function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

/** Problems in the variables: syntax, then each value against its declared type. */
export function checkVariables(schema, doc, json) {
  const problems = [...json.problems];
  const add = (at, message, warning = false) => problems.push({ from: at.start, to: at.end, message, warning });
  if (json.root && !json.root.members && !problems.length) add(json.root, 'Variables are one JSON object: { "name": value }.');
  if (!schema || problems.length || !json.root) return problems;
  const declared = doc.definitions.flatMap((d) => d.variables ?? []).map((v) => v.name?.text).filter(Boolean);
  for (const member of json.root.members) {
    if (!declared.includes(member.key)) add(member.token, `No operation declares “$${member.key}”.`, true);
    else visit(member.value, variableType(schema, doc, [member.key]));
  }
  function visit(node, ref) {
    if (!node || !ref) return;
    const text = node.token.text;
    if (text === 'null') {
      if (ref.kind === 'NON_NULL') add(node, `${typeText(ref)} may not be null.`);
      return;
    }
    const inner = nullable(ref);
    if (node.items) {
      if (inner.kind === 'LIST') node.items.forEach((item) => visit(item, inner.ofType));
      return;
    }
    const type = schema.type(namedOf(inner));
    if (node.members && type?.kind === 'INPUT_OBJECT') {
      for (const m of node.members) {
        const field = type.fieldMap.get(m.key);
        if (!field) add(m.token, `“${type.name}” has no field “${m.key}”${near(m.key, [...type.fieldMap.keys()])}`);
        else visit(m.value, field.type);
      }
      for (const field of type.fieldMap.values()) {
        if (isRequired(field) && !node.members.some((m) => m.key === field.name)) add(node.token, `“${type.name}” needs “${field.name}: ${typeText(field.type)}”.`);
      }
      return;
    }
    // In JSON an enum value is a string.
    const token = type?.kind === 'ENUM' ? { ...node.token, text: text.replace(/^"|"$/g, '') } : node.token;
    if (type && !node.members && !literalFits(type, token)) add(node, `${text.slice(0, 30)} is not ${/^[AEIO]/.test(type.name) ? 'an' : 'a'} ${type.name}.`);
  }
  return problems;
}

/** Variables an operation cannot run without and does not have. */
export function missingVariables(operation, json) {
  const given = new Map((json.root?.members ?? []).map((m) => [m.key, m.value?.token.text]));
  return (operation?.variables ?? [])
    .filter((v) => v.name && v.type?.kind === 'NON_NULL' && !v.value && (!given.has(v.name.text) || given.get(v.name.text) === 'null'))
    .map((v) => v.name.text);
}
