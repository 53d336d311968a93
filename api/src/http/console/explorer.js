// The schema, readable: a page per type and field, search, and a trail back.

import { el, icon, prose } from './ui.js';
import { isRequired, namedOf, nullable, typeText } from './schema.js';

const KINDS = { OBJECT: 'Object', INTERFACE: 'Interface', UNION: 'Union', ENUM: 'Enum', INPUT_OBJECT: 'Input', SCALAR: 'Scalar' };

export class Explorer {
  /** `write(text)` puts a new operation into the editor. */
  constructor(host, { write }) {
    Object.assign(this, { host, write, schema: null, trail: [] });
    this.search = el('input', { type: 'search', placeholder: 'Search types and fields', 'aria-label': 'Search the schema', spellcheck: 'false', oninput: () => this.draw() });
    this.nav = el('nav', { class: 'trail', 'aria-label': 'Schema trail' });
    this.page = el('div', { class: 'doc-page', tabindex: '-1' });
    host.append(el('div', { class: 'side-tools' }, this.search), this.nav, this.page);
    // Down from the search box goes to the first hit.
    this.search.addEventListener('keydown', (e) => {
      if (e.key === 'ArrowDown' || e.key === 'Enter') { e.preventDefault(); this.page.querySelector('button')?.focus(); }
    });
  }

  setSchema(schema) {
    this.schema = schema;
    this.trail = [];
    this.draw();
  }

  /** Instead of a schema: why there is none, and a way to try again. */
  setProblem(title, detail, retry) {
    this.schema = null;
    this.nav.replaceChildren();
    this.page.replaceChildren(el('h2', {}, title), el('p', {}, detail), el('button', { type: 'button', class: 'button', onclick: retry }, 'Try again'));
  }

  /** Show a type or one of its fields. */
  open(type, field) {
    const last = this.trail.at(-1);
    if (!last || last.type !== type || last.field !== field) {
      if (field && last?.type !== type) this.trail.push({ type });
      this.trail.push({ type, field });
    }
    this.search.value = '';
    this.draw();
    this.page.scrollTop = 0;
    this.page.focus({ preventScroll: true });
  }

  back(to) {
    this.trail.length = to;
    this.search.value = '';
    this.draw();
    this.page.focus({ preventScroll: true });
  }

  draw() {
    if (!this.schema) return;
    const words = this.search.value.trim();
    const here = this.trail.at(-1);
    this.drawTrail();
    let content;
    if (words) content = this.results(words.toLowerCase());
    else if (!here) content = this.home();
    else if (here.field) content = this.fieldPage(this.schema.type(here.type), here.field);
    else content = this.typePage(this.schema.type(here.type));
    this.page.replaceChildren(...content.filter(Boolean));
  }

  drawTrail() {
    const shown = this.trail.slice(-3);
    const first = this.trail.length - shown.length;
    const step = (label, to, current) => (current ? el('span', { 'aria-current': 'page' }, label)
      : el('button', { type: 'button', class: 'link', onclick: () => this.back(to) }, label));
    this.nav.replaceChildren(
      el('button', { type: 'button', class: 'icon-button', 'aria-label': 'Back', title: 'Back', disabled: !this.trail.length, onclick: () => this.back(this.trail.length - 1) }, icon('back')),
      step('Schema', 0, !this.trail.length),
      ...(first > 0 ? [' › …'] : []),
      ...shown.flatMap((at, i) => [' › ', step(at.field ?? at.type, first + i + 1, i === shown.length - 1)]));
  }

  // Pieces -------------------------------------------------------------------------------------

  typeLink(ref) {
    const name = namedOf(ref);
    const [before, after] = typeText(ref).split(name);
    return el('span', { class: 'type-ref' }, before, el('button', { type: 'button', class: 'link t-type', onclick: () => this.open(name) }, name), after);
  }

  fieldLink(type, field) {
    return el('button', { type: 'button', class: 'link t-field', onclick: () => this.open(type, field) }, field);
  }

  deprecation(item) {
    return item.isDeprecated && el('div', { class: 'warning' }, ...prose(`Deprecated. ${item.deprecationReason ?? ''}`));
  }

  input(arg, name = el('span', { class: 't-arg' }, arg.name)) {
    return el('li', { class: arg.isDeprecated ? 'deprecated' : '' },
      el('div', { class: 'signature' }, name, ': ', this.typeLink(arg.type),
        arg.defaultValue != null && el('span', { class: 'default' }, ` = ${arg.defaultValue}`),
        isRequired(arg) && el('span', { class: 'tag' }, 'required')),
      ...prose(arg.description), this.deprecation(arg));
  }

  section(title, items) {
    return items.length ? el('section', {}, el('h3', {}, title), el('ul', { class: 'doc-list' }, ...items)) : null;
  }

  // Pages --------------------------------------------------------------------------------------

  home() {
    const { schema } = this;
    const roots = Object.entries(schema.roots).filter(([, name]) => name);
    const rootNames = roots.map(([, name]) => name);
    const types = [...schema.types.values()].filter((t) => !t.name.startsWith('__') && !rootNames.includes(t.name)).sort((a, b) => a.name.localeCompare(b.name));
    const link = (t) => el('li', {}, this.typeLink(t));
    return [
      el('h2', {}, 'Schema'), ...prose(schema.description),
      this.section('Start here', roots.map(([operation, name]) => el('li', {}, el('div', { class: 'signature' }, `${operation}: `, this.typeLink({ name })), ...prose(schema.type(name).description)))),
      ...Object.entries(KINDS).map(([kind, label]) => this.section(label === 'Enum' ? 'Enums' : `${label} types`, types.filter((t) => t.kind === kind).map(link))),
    ];
  }

  typePage(type) {
    const fields = [...type.fieldMap.values()];
    const order = (list) => [...list].sort((a, b) => Boolean(a.isDeprecated) - Boolean(b.isDeprecated));
    const names = (list) => (list ?? []).map((t) => el('li', {}, this.typeLink(t)));
    const users = this.schema.users(type.name);
    return [
      el('h2', {}, type.name, el('span', { class: 'tag' }, KINDS[type.kind]), type.isOneOf && el('span', { class: 'tag' }, 'exactly one field')),
      ...prose(type.description),
      type.specifiedByURL && el('p', {}, 'Specified by ', el('a', { href: type.specifiedByURL, rel: 'noreferrer', target: '_blank' }, type.specifiedByURL)),
      this.section('Implements', names(type.interfaces)),
      this.section('Fields', type.kind === 'INPUT_OBJECT' ? order(fields).map((f) => this.input(f, this.fieldLink(type.name, f.name)))
        : order(fields).map((f) => el('li', { class: f.isDeprecated ? 'deprecated' : '' },
          el('div', { class: 'signature' }, this.fieldLink(type.name, f.name), this.argSummary(f), ': ', this.typeLink(f.type)),
          ...prose(f.description).slice(0, 1), this.deprecation(f)))),
      this.section('Values', (type.enumValues ?? []).map((v) => el('li', { class: v.isDeprecated ? 'deprecated' : '' }, el('div', { class: 'signature t-enum' }, v.name), ...prose(v.description), this.deprecation(v)))),
      type.kind !== 'OBJECT' && this.section('Can be', names(type.possibleTypes)),
      this.section('Used by', users.slice(0, 30).map((u) => el('li', {}, el('div', { class: 'signature' }, `${u.type}.`, this.fieldLink(u.type, u.field))))
        .concat(users.length > 30 ? el('li', {}, `… and ${users.length - 30} more`) : [])),
    ];
  }

  argSummary(field) {
    const names = (field.args ?? []).map((a) => a.name);
    return names.length ? `(${names.slice(0, 4).join(', ')}${names.length > 4 ? ', …' : ''})` : '';
  }

  fieldPage(type, name) {
    const field = type.fieldMap.get(name);
    const operation = Object.keys(this.schema.roots).find((o) => this.schema.roots[o] === type.name);
    return [
      el('h2', {}, name),
      el('div', { class: 'signature' }, el('span', {}, `${type.name}.${name}: `), this.typeLink(field.type), field.defaultValue != null && ` = ${field.defaultValue}`),
      ...prose(field.description), this.deprecation(field),
      operation && el('button', { type: 'button', class: 'button', onclick: () => this.write(sketch(this.schema, operation, field)) }, `Write a ${operation} with this`),
      this.section('Arguments', (field.args ?? []).map((a) => this.input(a))),
      ...this.preview(field),
    ];
  }

  /** The fields a reader will most likely want next, without leaving the page. */
  preview(field) {
    const type = this.schema.type(namedOf(field.type));
    if (!type?.fieldMap.size) return [];
    const fields = [...type.fieldMap.values()].filter((f) => !f.isDeprecated);
    const row = (f) => el('li', {}, el('div', { class: 'signature' }, this.fieldLink(type.name, f.name), ': ', this.typeLink(f.type)));
    return [this.section(`Fields of ${type.name}`, fields.map(row))];
  }

  results(words) {
    const hits = [];
    const consider = (text, bonus, make) => {
      const at = text.toLowerCase().indexOf(words);
      if (at >= 0) hits.push([(text.toLowerCase() === words ? 0 : at === 0 ? 1 : 2) + bonus, make]);
    };
    for (const type of this.schema.types.values()) {
      if (type.name.startsWith('__')) continue;
      consider(type.name, 0, () => el('li', {}, el('div', { class: 'signature' }, this.typeLink(type), el('span', { class: 'tag' }, KINDS[type.kind]))));
      for (const field of type.fieldMap.values()) {
        const make = (extra) => () => el('li', {}, el('div', { class: 'signature' }, `${type.name}.`, this.fieldLink(type.name, field.name), extra));
        const matches = hits.length;
        consider(field.name, 0.3, make(''));
        if (hits.length > matches) continue;
        const arg = (field.args ?? []).find((a) => a.name.toLowerCase().includes(words));
        if (arg) consider(arg.name, 0.6, make(`(${arg.name})`));
        else if (field.description) consider(` ${field.description}`, 3, make(''));
      }
      for (const value of type.enumValues ?? []) consider(value.name, 0.6, () => el('li', {}, el('div', { class: 'signature' }, this.typeLink(type), `.${value.name}`)));
    }
    hits.sort((a, b) => a[0] - b[0]);
    const count = hits.length === 1 ? '1 match' : `${hits.length || 'No'} matches`;
    return [
      el('p', { class: 'quiet', role: 'status' }, hits.length > 60 ? `${count}; the best 60:` : `${count}${hits.length ? '' : ' in the names and descriptions of this schema'}`),
      el('ul', { class: 'doc-list' }, ...hits.slice(0, 60).map(([, make]) => make())),
    ];
  }
}

/**
 * An operation that asks one root field for its plain values: variables for what it requires, a page
 * size for a connection, and a level or two down to the things a connection or payload wraps.
 */
function sketch(schema, operation, field) {
  const needs = field.args.filter(isRequired);
  const given = needs.map((a) => `${a.name}: $${a.name}`);
  // Pages need a size, though the schema cannot say “this or `last`”.
  if (/Connection$/.test(namedOf(field.type)) && field.argMap.has('first') && !needs.some((a) => a.name === 'first')) given.push('first: 10');
  const name = field.name[0].toUpperCase() + field.name.slice(1);
  const head = needs.length ? `(${needs.map((a) => `$${a.name}: ${typeText(a.type)}`).join(', ')})` : '';
  const composite = (f) => schema.isComposite(schema.type(namedOf(f.type)));
  const body = (ref, indent, depth) => {
    const type = schema.type(namedOf(ref));
    if (!schema.isComposite(type)) return '';
    const free = [...type.fieldMap.values()].filter((f) => !f.isDeprecated && !f.args.some(isRequired));
    const wanted = /Connection$/.test(type.name) ? (type.fieldMap.has('nodes') ? /^nodes$/ : /^edges$/) : /Edge$/.test(type.name) ? /^node$/ : null;
    const lines = free.filter((f) => !composite(f) && !/Edge$/.test(type.name)).slice(0, 8).map((f) => f.name);
    if (depth && (wanted || /Payload$/.test(type.name) || !lines.length)) {
      for (const f of free.filter((x) => composite(x) && (wanted?.test(x.name) ?? true)).slice(0, 2)) lines.push(f.name + body(f.type, `${indent}  `, depth - 1));
    }
    return ` {\n${(lines.length ? lines : ['__typename']).map((l) => `${indent}  ${l}`).join('\n')}\n${indent}}`;
  };
  const blank = (ref) => {
    const type = nullable(ref);
    if (type.kind === 'LIST') return [];
    const known = schema.type(type.name);
    if (known?.kind === 'ENUM') return known.enumValues[0].name;
    if (known?.kind === 'INPUT_OBJECT') return Object.fromEntries([...known.fieldMap.values()].filter(isRequired).map((f) => [f.name, blank(f.type)]));
    return { Int: 0, Float: 0, Boolean: false }[type.name] ?? '';
  };
  return {
    text: `${operation} ${name}${head} {\n  ${field.name}${given.length ? `(${given.join(', ')})` : ''}${body(field.type, '  ', 3)}\n}\n`,
    variables: Object.fromEntries(needs.map((a) => [a.name, blank(a.type)])),
  };
}
