// Showing an answer: a readable strip (status, errors, what was held back) above a foldable tree.

import { bytes, el, icon } from './ui.js';

const CHUNK = 200; // items of one list drawn at a time
const AT_ONCE = 4000; // values beyond which deep levels start folded

/** Draw JSON as a tree that folds. Returns { reveal(path), fold(open) }. */
export function tree(host, value) {
  const generous = size(value, AT_ONCE) < AT_ONCE;

  function row(key, item, last, depth) {
    const label = key === null || typeof key === 'number' ? [] : [el('span', { class: 't-key' }, JSON.stringify(key)), ': '];
    const comma = last ? '' : ',';
    if (item === null || typeof item !== 'object' || !Object.keys(item).length || short(item)) {
      const line = el('div', { class: 'row' }, ...label, leaf(item), comma);
      line.key = key;
      return line;
    }
    const list = Array.isArray(item);
    const keys = list ? item.map((_, i) => i) : Object.keys(item);
    const [open, close] = list ? '[]' : '{}';
    const fold = el('details', {},
      el('summary', { class: 'row', tabindex: '-1' }, ...label, open,
        el('span', { class: 'folded' }, ` ${keys.length} ${list ? 'item' : 'field'}${keys.length > 1 ? 's' : ''} ${close}${comma}`)));
    fold.key = key;
    const body = el('div', { class: 'fold' });
    let drawn = 0;
    fold.more = () => {
      body.querySelector(':scope > .more')?.remove();
      const upTo = Math.min(keys.length, drawn + CHUNK);
      for (; drawn < upTo; drawn += 1) {
        body.append(row(keys[drawn], item[keys[drawn]], drawn === keys.length - 1, depth + 1));
      }
      if (drawn < keys.length) {
        body.append(el('button', { type: 'button', class: 'more', onclick: fold.more }, `Show the next ${Math.min(CHUNK, keys.length - drawn)} of ${keys.length}`));
      }
      return drawn < keys.length;
    };
    // Folded parts are drawn when first opened, so that a large answer shows at once.
    fold.draw = () => { if (!drawn) { fold.more(); fold.append(body, el('div', { class: 'row' }, close, comma)); } };
    fold.addEventListener('toggle', () => { if (fold.open) fold.draw(); });
    if (generous || depth < 3) { fold.draw(); fold.open = true; }
    return fold;
  }

  const root = row(null, value, true, 0);
  root.classList.add('tree-root');
  root.firstElementChild?.setAttribute?.('tabindex', '0');
  host.replaceChildren(root);

  // One Tab stop for the whole tree; arrows move between the lines that fold.
  host.onkeydown = (event) => {
    const at = event.target;
    if (at.tagName !== 'SUMMARY') return;
    const visible = [...host.querySelectorAll('summary')].filter((s) => s.checkVisibility?.() ?? s.offsetParent);
    const i = visible.indexOf(at);
    const to = { ArrowDown: visible[i + 1], ArrowUp: visible[i - 1], Home: visible[0], End: visible.at(-1) }[event.key];
    if (event.key === 'ArrowRight' && !at.parentElement.open) at.parentElement.open = true;
    else if (event.key === 'ArrowLeft' && at.parentElement.open) at.parentElement.open = false;
    else if (to) {
      at.tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    } else return;
    event.preventDefault();
  };

  return {
    fold(open) {
      const folds = () => [...host.querySelectorAll('details')].filter((d) => d !== root && d.open !== open);
      // Opening draws more, which may hold more to open.
      for (let todo = folds(), n = 0; todo.length && n < AT_ONCE; todo = open ? folds() : []) {
        for (const d of todo) { if (open) d.draw(); d.open = open; n += 1; }
      }
    },
    /** Bring the value at a path into view; a missing end of the path stops at what exists. */
    reveal(path) {
      let at = root;
      for (const key of path) {
        if (!at.draw) break;
        at.draw();
        at.open = true;
        const find = () => [...at.querySelector(':scope > .fold').children].find((c) => c.key === key);
        let next = find();
        while (!next && at.more()) next = find();
        next ??= find();
        if (!next) break;
        at = next;
      }
      at.scrollIntoView({ block: 'center' });
      at.classList.remove('flash');
      void at.offsetWidth; // restart the animation
      at.classList.add('flash');
    },
  };
}

/** A short list of plain values, such as a path, reads best on one line. */
const short = (value) => Array.isArray(value) && value.every((v) => v === null || typeof v !== 'object') && JSON.stringify(value).length < 60;

function leaf(value) {
  if (Array.isArray(value) && value.length) return el('span', {}, '[', ...value.flatMap((v, i) => (i ? [', ', leaf(v)] : [leaf(v)])), ']');
  const role = value === null || typeof value === 'boolean' ? 'literal' : typeof value === 'object' ? 'punct' : typeof value;
  return el('span', { class: `t-${role}` }, JSON.stringify(value));
}

/** How many values there are, counting no further than `limit`. */
function size(value, limit) {
  let n = 0;
  const count = (v) => {
    n += 1;
    if (v && typeof v === 'object') for (const k in v) { if (n > limit) return; count(v[k]); }
  };
  count(value);
  return n;
}

const pathText = (path) => path.map((p, i) => (typeof p === 'number' ? `[${p}]` : i ? `.${p}` : p)).join('');

/** The status line: HTTP status, time, size. */
export function status(answer) {
  if (answer.status === undefined) return [el('span', { class: 'badge bad' }, 'No answer')];
  const errors = answer.body?.errors?.length;
  return [
    el('span', { class: `badge ${answer.status < 300 ? (errors ? 'soso' : 'good') : 'bad'}` }, `${answer.status}${answer.statusText ? ` ${answer.statusText}` : ''}`),
    el('span', { title: 'Time until the whole answer had arrived' }, `${answer.ms < 10 ? answer.ms.toFixed(1) : Math.round(answer.ms)} ms`),
    el('span', { title: 'Size of the answer' }, bytes(answer.bytes)),
  ];
}

/**
 * What a reader should know before the raw answer: trouble, errors, refusals, values held back.
 * `locate` goes to a place in the query, `reveal` to one in the answer, `explain` to a field's documentation.
 */
export function notices(answer, { locate, reveal, explain }) {
  const out = [];
  if (answer.trouble) {
    out.push(el('div', { class: 'notice bad', role: 'alert' }, icon('warn'), el('div', {}, el('strong', {}, answer.trouble.title), el('p', {}, answer.trouble.detail))));
  }
  const errors = Array.isArray(answer.body?.errors) ? answer.body.errors : [];
  for (const error of errors.slice(0, 20)) {
    const code = error.extensions?.code;
    out.push(el('div', { class: 'notice bad' }, icon('warn'), el('div', {},
      el('strong', {}, String(error.message ?? 'An error without a message')),
      el('p', { class: 'facts' },
        code && el('code', {}, String(code)),
        ...(error.locations ?? []).map((at) => el('button', { type: 'button', class: 'link', onclick: () => locate(at) }, `line ${at.line}, column ${at.column}`)),
        Array.isArray(error.path) && el('button', { type: 'button', class: 'link', onclick: () => reveal(['data', ...error.path]) }, pathText(error.path))))));
  }
  if (errors.length > 20) out.push(el('p', { class: 'notice' }, `… and ${errors.length - 20} more errors, in the answer below.`));
  const data = answer.body?.data && typeof answer.body.data === 'object' ? answer.body.data : {};
  for (const [field, payload] of Object.entries(data)) {
    // What a mutation refused, in its own words: a GraphQL success, but not what was asked for.
    for (const [i, error] of (Array.isArray(payload?.userErrors) ? payload.userErrors : []).entries()) {
      out.push(el('div', { class: 'notice held' }, icon('warn'), el('div', {},
        el('strong', {}, String(error.message ?? error.code ?? 'This was refused')),
        el('p', { class: 'facts' }, error.code && el('code', {}, error.code), Array.isArray(error.path) && error.path.length > 0 && el('span', {}, pathText(error.path)),
          el('button', { type: 'button', class: 'link', onclick: () => reveal(['data', field, 'userErrors', i]) }, field)))));
    }
  }
  const held = answer.body?.extensions?.redactions;
  if (Array.isArray(held) && held.length) {
    const total = held.reduce((n, r) => n + (r?.places ?? 1), 0);
    out.push(el('div', { class: 'notice held' }, icon('eye'), el('div', {},
      el('strong', {}, `${total} ${total === 1 ? 'value is' : 'values are'} not for this account to see`),
      el('ul', {}, ...held.slice(0, 20).map((r) => redaction(r, explain))))));
  }
  return out;
}

const VIEWERS = { ONESELF: 'the person herself', STAFF: 'staff of the course', CLASSMATE: 'classmates', AUDIENCE: 'anybody, of those who teach', STRANGER: 'anybody' };
const words = (constant) => String(constant).toLowerCase().replaceAll('_', ' ');

/** One field that is null because of who asks: which, what kind of thing it is, who would see it. */
function redaction(entry, explain) {
  const { field = '?', category, reason, seenBy, places } = typeof entry === 'object' && entry ? entry : { reason: String(entry) };
  const facts = [category && words(category), places > 1 && `in ${places} places`].filter(Boolean).join(', ');
  const viewers = Array.isArray(seenBy) && seenBy.length ? `shown to ${seenBy.map((v) => VIEWERS[v] ?? words(v)).join('; ')}` : reason && words(reason);
  return el('li', {}, el('button', { type: 'button', class: 'link', onclick: () => explain(...field.split('.')) }, el('code', {}, field)),
    facts && ` (${facts})`, viewers && `: ${viewers}`);
}
