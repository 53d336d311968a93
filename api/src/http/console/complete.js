// What can be typed at the cursor, and what the thing under the pointer is.
//
// A suggestion is { label, insert, back, detail, doc, deprecated, again }: `back` is how many
// characters before the end of the inserted text the cursor lands, `again` asks for suggestions there.

import { definitionAt, parse, tokenAt } from './language.js';
import { parseJson } from './json.js';
import { isRequired, namedOf, nullable, typeText } from './schema.js';

/** Suggestions for a query. `doc` is the whole parsed text; only what precedes the cursor decides. */
export function completeQuery(schema, doc, caret) {
  const { text } = doc;
  const word = /\w*$/.exec(text.slice(0, caret))[0];
  const from = caret - word.length;
  const before = parse(text.slice(0, from));
  const last = before.tokens.at(-1);
  if (last && (last.open || (last.kind === 'comment' && last.end === from))) return null;
  if (!before.expected || !schema) return null;
  const to = word ? caret + /^\w*/.exec(text.slice(caret))[0].length : caret;
  const place = { after: text.slice(to), indent: /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', caret - 1) + 1))[0] };
  const { kind, node } = before.expected;
  return { from, to, word, items: narrow(options(schema, kind, node, doc, caret, place), word) };
}

/** Keep what matches the typed word: first what starts with it, then what contains it. */
function narrow(items, word) {
  const w = word.toLowerCase();
  const rank = (item) => {
    const at = item.label.replace(/^\W+/, '').toLowerCase().indexOf(w);
    return at < 0 ? 3 : (at > 0 ? 1 : 0) + (item.deprecated ? 0.5 : 0);
  };
  return items.map((item) => [rank(item), item]).filter(([r]) => r < 3).sort((a, b) => a[0] - b[0]).map(([, item]) => item);
}

function options(schema, kind, node, doc, caret, place) {
  const types = (test) => [...schema.types.values()].filter((t) => !t.name.startsWith('__') && test(t))
    .map((t) => ({ label: t.name, detail: t.kind.toLowerCase().replace('_', ' '), doc: t.description }));
  switch (kind) {
    case 'definition':
      return ['query', 'mutation', 'subscription'].filter((o) => schema.root(o))
        .map((o) => ({ label: o, detail: `on ${schema.root(o).name}`, doc: schema.root(o).description }))
        .concat({ label: 'fragment', detail: 'fields to reuse', doc: 'A named set of fields that several selections can share.' });
    case 'selection': return selections(schema, node, doc, place);
    case 'spread': return spreads(schema, schema.typeOfSet(node), doc, '').concat({ label: 'on', insert: 'on ', detail: 'a type', again: true });
    case 'on': return [{ label: 'on', insert: 'on ', again: true }];
    case 'condition': {
      const outer = node.kind === 'Inline' ? schema.typeOfSet(node.parent) : null;
      return types((t) => schema.isComposite(t) && (!outer || schema.overlap(t, outer)));
    }
    case 'inputType': return types((t) => ['SCALAR', 'ENUM', 'INPUT_OBJECT'].includes(t.kind));
    case 'argument': return inputs(schema.argsOf(node), node.args, place);
    case 'inputField': return inputs(schema.inputFields(node), node.fields, place);
    case 'value': {
      const type = schema.inputTypeOf(node);
      return values(schema, type).concat(variables(schema, type, definitionAt(doc, caret), '$'));
    }
    case 'variable': return variables(schema, schema.inputTypeOf(node), definitionAt(doc, caret), '');
    case 'directive': {
      const location = { Field: 'FIELD', Spread: 'FRAGMENT_SPREAD', Inline: 'INLINE_FRAGMENT', Fragment: 'FRAGMENT_DEFINITION', VariableDefinition: 'VARIABLE_DEFINITION' }[node.kind]
        ?? node.operation?.toUpperCase();
      return [...schema.directives.values()].filter((d) => d.locations.includes(location)).map((d) => {
        const needs = d.args.filter(isRequired);
        const insert = needs.length ? `${d.name}(${needs.map((a) => `${a.name}: `).join(', ')})` : d.name;
        return { label: d.name, insert, back: needs.length ? 1 : 0, doc: d.description, again: needs.length > 0 };
      });
    }
    default: return [];
  }
}

/** Fields, with the brackets and required arguments they cannot go without. */
function selections(schema, set, doc, place) {
  const type = schema.typeOfSet(set);
  if (!type) return [];
  const bare = /^[ \t]*[({:]/.test(place.after); // brackets are there already
  const fields = [...type.fieldMap.values(), schema.field(type, '__typename')].map((f) => {
    const item = { label: f.name, detail: typeText(f.type), doc: f.description, deprecated: f.isDeprecated && (f.deprecationReason || 'Deprecated.') };
    if (bare) return item;
    const needs = f.args.filter(isRequired);
    const args = needs.length ? `(${needs.map((a) => `${a.name}: ${hole(schema, a.type)}`).join(', ')})` : '';
    const body = schema.isComposite(schema.type(namedOf(f.type))) ? ` {\n${place.indent}  \n${place.indent}}` : '';
    item.insert = f.name + args + body;
    // The cursor goes to the first value to fill in, or else into the braces.
    if (args) item.back = item.insert.length - firstHole(f.name, needs, schema);
    else if (body) item.back = place.indent.length + 2;
    item.again = Boolean(args || body);
    return item;
  });
  const narrower = type.kind === 'OBJECT' ? [] : schema.possible(type)
    .map((name) => ({ label: `... on ${name}`, insert: `... on ${name} {\n${place.indent}  \n${place.indent}}`, back: place.indent.length + 2, detail: 'only for this type', again: true }));
  return [...fields, ...narrower, ...spreads(schema, type, doc, '...')];
}

/** An empty value of the right shape. */
function hole(schema, type) {
  const inner = nullable(type);
  if (inner.kind === 'LIST') return '[]';
  if (schema.type(inner.name)?.kind === 'INPUT_OBJECT') return '{}';
  return ['ID', 'String'].includes(inner.name) ? '""' : '';
}

function firstHole(name, needs, schema) {
  return name.length + 1 + needs[0].name.length + 2 + (hole(schema, needs[0].type) ? 1 : 0);
}

function spreads(schema, type, doc, dots) {
  return doc.definitions
    .filter((d) => d.kind === 'Fragment' && d.name && (!type || !schema.type(d.condition?.text) || schema.overlap(schema.type(d.condition.text), type)))
    .map((d) => ({ label: dots + d.name.text, detail: `fragment on ${d.condition?.text ?? '?'}` }));
}

function inputs(map, given, place) {
  const taken = new Set((given ?? []).map((g) => g.name?.text));
  const colon = /^\s*:/.test(place.after) ? '' : ': ';
  return [...(map?.values() ?? [])].filter((a) => !taken.has(a.name)).map((a) => ({
    label: a.name, insert: a.name + colon, detail: typeText(a.type) + (a.defaultValue != null ? ` = ${a.defaultValue}` : ''),
    doc: a.description, deprecated: a.isDeprecated && (a.deprecationReason || 'Deprecated.'), again: true,
  }));
}

function values(schema, ref) {
  const type = schema.type(namedOf(ref));
  if (type?.kind === 'ENUM') {
    return type.enumValues.map((v) => ({ label: v.name, detail: type.name, doc: v.description, deprecated: v.isDeprecated && (v.deprecationReason || 'Deprecated.') }));
  }
  if (type?.name === 'Boolean') return ['true', 'false'].map((label) => ({ label, detail: 'Boolean' }));
  if (type?.kind === 'INPUT_OBJECT') return [{ label: '{ }', insert: '{}', back: 1, detail: type.name, doc: type.description, again: true }];
  return [];
}

/** The operation's variables, those of the wanted type first. */
function variables(schema, ref, operation, dollar) {
  const wanted = namedOf(ref);
  return (operation?.variables ?? []).filter((v) => v.name && v.type)
    .map((v) => ({ label: dollar + v.name.text, detail: typeText(v.type), fits: namedOf(v.type) === wanted }))
    .filter((v) => v.fits || !wanted || !dollar).sort((a, b) => b.fits - a.fits);
}

/** Suggestions for the variables pane: names the operations declare, input fields, enum values. */
export function completeVariables(schema, doc, text, caret) {
  if (!schema || !doc) return null;
  let from = caret - /\w*$/.exec(text.slice(0, caret))[0].length;
  let before = parseJson(text.slice(0, caret));
  const last = before.tokens.at(-1);
  const quoted = Boolean(last?.open);
  if (quoted) from = last.start;
  before = parseJson(text.slice(0, from));
  if (!before.expected) return null;
  const rest = text.slice(caret);
  const to = quoted ? caret + /^\w*"?/.exec(rest)[0].length : caret;
  const word = text.slice(from + (quoted ? 1 : 0), caret);
  const { kind, path, given } = before.expected;
  const found = kind === 'key' ? keysAt(schema, doc, path) : [];
  const colon = /^\s*:/.test(text.slice(to)) ? '' : ': ';
  const items = kind === 'object' ? [{ label: '{ }', insert: '{}', back: 1, again: true }]
    : kind === 'key' ? found.filter((k) => !given.includes(k.name)).map((k) => ({
      label: k.name, insert: `"${k.name}"${colon}`, detail: typeText(k.type), doc: k.description, again: true }))
      : values(schema, variableType(schema, doc, path)).filter((v) => !v.insert || !quoted).map((v) => {
        const insert = schema.type(v.detail)?.kind === 'ENUM' ? `"${v.label}"` : v.insert;
        return { ...v, insert };
      });
  return { from, to, word, items: narrow(items, word) };
}

const declared = (doc) => doc.definitions.flatMap((d) => d.variables ?? []).filter((v) => v.name && v.type);

function keysAt(schema, doc, path) {
  if (!path.length) return declared(doc).map((v) => ({ name: v.name.text, type: v.type }));
  const type = schema.type(namedOf(variableType(schema, doc, path)));
  return type?.kind === 'INPUT_OBJECT' ? [...type.fieldMap.values()] : [];
}

/** The type a place in the variables must have. */
export function variableType(schema, doc, [name, ...path]) {
  let type = declared(doc).find((v) => v.name.text === name)?.type;
  for (const step of path) {
    type = nullable(type);
    if (!type) return undefined;
    if (typeof step === 'number') type = type.kind === 'LIST' ? type.ofType : undefined;
    else type = schema.type(namedOf(type))?.fieldMap.get(step)?.type;
  }
  return type;
}

/** What the token at an offset stands for: `{ title, doc, deprecated, type, field }`, or null. */
export function describe(schema, doc, offset) {
  const token = tokenAt(doc, offset);
  const node = token?.node;
  if (!schema || !node) return null;
  const ofType = (name) => {
    const type = schema.type(name);
    return type ? { title: type.name, doc: type.description, type: type.name } : null;
  };
  switch (node.kind) {
    case 'Field': {
      const owner = schema.typeOfSet(node.parent);
      const field = schema.fieldOf(node);
      return field ? { title: `${owner.name}.${field.name}: ${typeText(field.type)}`, doc: field.description, deprecated: field.deprecationReason, type: owner.name, field: field.name } : null;
    }
    case 'Argument': {
      const arg = schema.argsOf(node.parent)?.get(node.name.text);
      const owner = node.parent.kind === 'Field' && schema.typeOfSet(node.parent.parent);
      return arg ? { title: `${arg.name}: ${typeText(arg.type)}`, doc: arg.description, type: owner?.name, field: owner && node.parent.name.text } : null;
    }
    case 'ObjectField': {
      const owner = schema.type(namedOf(schema.inputTypeOf(node.parent.parent)));
      const field = owner?.fieldMap.get(node.name.text);
      return field ? { title: `${owner.name}.${field.name}: ${typeText(field.type)}`, doc: field.description, type: owner.name, field: field.name } : null;
    }
    case 'Directive': {
      const directive = schema.directives.get(node.name.text);
      return directive ? { title: `@${directive.name}`, doc: directive.description } : null;
    }
    case 'Variable':
    case 'VariableDefinition': {
      const variable = declared(doc).find((v) => v.name.text === node.name?.text);
      return variable ? { title: `$${variable.name.text}: ${typeText(variable.type)}`, type: namedOf(variable.type) } : null;
    }
    case 'Literal': {
      const type = schema.type(namedOf(schema.inputTypeOf(node.parent)));
      const value = type?.enumValues?.find((v) => v.name === token.text);
      return value ? { title: `${type.name}.${value.name}`, doc: value.description, deprecated: value.deprecationReason, type: type.name } : null;
    }
    case 'Fragment': case 'Inline': return token === node.condition ? ofType(token.text) : null;
    case 'NamedType': return ofType(token.text);
    default: return null;
  }
}
