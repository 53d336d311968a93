// The console's page: wires editors, schema, accounts, examples, history and the result together.

import { ask } from './client.js';
import { checkQuery, checkVariables, missingVariables } from './check.js';
import { completeQuery, completeVariables, describe } from './complete.js';
import { Editor } from './editor.js';
import { Explorer } from './explorer.js';
import { format } from './format.js';
import { History } from './history.js';
import { parseJson } from './json.js';
import { definitionAt, offsetOf, parse, position } from './language.js';
import { listen } from './live.js';
import { notices, status, tree } from './result.js';
import { introspectionQuery, Schema } from './schema.js';
import { $, copy, divider, el, fill, icon, local, menu, session, toast } from './ui.js';

let schema = null;
let doc = parse('');
let json = parseJson('');
let serverMarks = []; // errors of the last answer, until the query changes
let running = null; // the AbortController of the request under way
let lastAnswer = null;
let view = null; // the result tree
let accounts = [];
let examples = [];

// Editors ----------------------------------------------------------------------------------------

const query = new Editor($('query'), {
  label: 'GraphQL query',
  comments: true,
  tokens: () => doc.tokens,
  suggest: (caret) => completeQuery(schema, doc, caret),
  describe: (offset) => describe(schema, doc, offset),
  follow: (thing) => { showSide('schema'); explorer.open(thing.type, thing.field); },
  onChange: (text) => {
    doc = parse(text);
    serverMarks = [];
    if (!text.trim()) $('note').hidden = true; // the example it is about has gone
    drawOperations();
    checkSoon();
  },
  onCaret: (caret) => {
    const at = definitionAt(doc, caret);
    if (at?.kind === 'Operation' && at.name) $('operation').value = at.name.text;
  },
});

const variables = new Editor($('variables'), {
  label: 'Variables, as JSON',
  tokens: () => json.tokens,
  suggest: (caret) => completeVariables(schema, doc, variables.value, caret),
  onChange: (text) => {
    json = parseJson(text);
    checkSoon();
  },
});

let checkTimer;
/** Wait until typing pauses: half-typed words are not mistakes yet. */
function checkSoon() {
  // Old marks would point at moved text.
  for (const editor of [query, variables]) if (editor?.marks.length) editor.marks = [];
  clearTimeout(checkTimer);
  checkTimer = setTimeout(() => {
    check();
    local.set('draft', { query: query.value, variables: variables.value });
  }, 300);
}

function check() {
  const own = query.value.trim() ? checkQuery(schema, doc) : [];
  // Said twice is no clearer: the server's word on a place only where the console had none.
  const inQuery = [...own, ...serverMarks.filter((m) => !own.some((p) => p.from === m.from && !p.warning))];
  const inVariables = checkVariables(schema, doc, json);
  query.setMarks(inQuery.map(widen(query.value)));
  variables.setMarks(inVariables.map(widen(variables.value)));
  const rows = [...inQuery.map((p) => [query, p, '']), ...inVariables.map((p) => [variables, p, 'variables '])];
  rows.sort((a, b) => Boolean(a[1].warning) - Boolean(b[1].warning));
  $('problems').hidden = !rows.length;
  $('problems').replaceChildren(...rows.slice(0, 30).map(([editor, p, where]) => {
    const { line, column } = position(editor.value, p.from);
    return el('li', {}, el('button', { type: 'button', class: p.warning ? 'warning' : 'error', onclick: () => editor.goTo(p.from, p.to) },
      el('span', { class: 'place' }, `${where}${line}:${column}`), p.message));
  }));
}

/** A mark of no width, as at the end of the text, is given a character to be seen under. */
const widen = (text) => (mark) => (mark.to > mark.from ? mark : { ...mark, from: Math.max(0, Math.min(mark.from, text.length - 1)), to: Math.min(text.length, mark.from + 1) });

const namedOperations = () => doc.definitions.filter((d) => d.kind === 'Operation' && d.name);

/** With several operations, a selector shows which one runs; it follows the cursor. */
function drawOperations() {
  const select = $('operation');
  const names = namedOperations().map((o) => o.name.text);
  const old = select.value;
  select.hidden = names.length < 2;
  select.replaceChildren(...names.map((name) => el('option', { value: name }, name)));
  if (names.includes(old)) select.value = old;
}

function load({ query: text = '', variables: values = '' }) {
  const vars = typeof values === 'string' ? values : Object.keys(values ?? {}).length ? JSON.stringify(values, null, 2) : '';
  query.replaceAll(text);
  variables.replaceAll(vars);
}

function prettify() {
  if (!doc.problems.length) query.replaceAll(query.value.trim() ? format(parse(query.value)) : '');
  if (!json.problems.length && json.root) variables.replaceAll(JSON.stringify(JSON.parse(variables.value), null, 2));
  const first = [...doc.problems, ...json.problems][0];
  if (first) toast(`Not prettified: ${first.message}`);
}

// Running ----------------------------------------------------------------------------------------

function drawRun() {
  $('run').replaceChildren(icon(running ? 'stop' : 'run'), running ? 'Stop' : 'Run');
  $('run').title = running ? 'Stop waiting for the answer' : 'Ctrl-Enter';
  $('right').setAttribute('aria-busy', String(Boolean(running)));
}

async function run() {
  if (running) { running.abort(); return; }
  const operations = doc.definitions.filter((d) => d.kind === 'Operation');
  if (!operations.length) { toast(query.value.trim() ? 'There is no operation to run.' : 'Write a query first.'); return; }
  let values;
  try {
    values = variables.value.trim() ? JSON.parse(variables.value) : {};
  } catch {
    toast('The variables are not valid JSON; see below the query.');
    variables.goTo(json.problems[0]?.from ?? 0);
    return;
  }
  const name = operations.length > 1 ? $('operation').value : operations[0].name?.text;
  const operation = operations.find((o) => o.name?.text === name);
  const missing = missingVariables(operation, json);
  if (missing.length) toast(`No value for ${missing.map((m) => `$${m}`).join(', ')}; running anyway.`);
  const request = { query: query.value, variables: values, operationName: name || undefined };
  history.add({ query: query.value, variables: variables.value, operationName: name ?? '' });

  const started = performance.now();
  running = new AbortController();
  drawRun();
  let events = 0;
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  const clock = setInterval(() => { if (!events) $('status').replaceChildren(`Waiting … ${seconds()} s`); }, 100);
  try {
    if (operation.operation === 'subscription') {
      const last = await listen(request, token(), running.signal, (answer) => {
        events += 1;
        show(answer);
        $('status').append(el('span', { title: 'Each event takes the place of the one before' }, `event ${events}, after ${seconds()} s`));
      });
      if (last) show(last);
      else $('status').append(el('span', { class: 'badge soso' }, 'Ended'));
    } else {
      show(await ask(request, token(), running.signal));
    }
  } catch (error) {
    $('status').replaceChildren(el('span', { class: 'badge soso' }, error.name === 'AbortError' ? 'Stopped' : String(error)));
  } finally {
    clearInterval(clock);
    running = null;
    drawRun();
  }
}

const drawFold = (folded) => { $('fold').textContent = folded ? 'Unfold' : 'Fold'; };

function show(answer) {
  lastAnswer = answer;
  view = null;
  $('status').replaceChildren(...status(answer));
  $('result-buttons').hidden = !answer.text;
  drawFold(false);
  $('notices').replaceChildren(...notices(answer, {
    locate: (at) => query.goTo(offsetOf(query.value, at)),
    reveal: (path) => view?.reveal(path),
    explain: (type, field) => { if (schema?.type(type)) { showSide('schema'); explorer.open(type, field); } },
  }));
  if (answer.body !== undefined) view = tree($('result'), answer.body);
  else if (answer.text) $('result').replaceChildren(el('pre', { class: 'raw' }, answer.text.slice(0, 20000)));
  else $('result').replaceChildren();
  $('result').scrollTo(0, 0);
  const errors = Array.isArray(answer.body?.errors) ? answer.body.errors : [];
  serverMarks = errors.flatMap((e) => (e.locations ?? []).map((at) => {
    const from = offsetOf(query.value, at);
    return { from, to: from + (/^[$@\w.]+/.exec(query.value.slice(from))?.[0].length ?? 1), message: `Server: ${e.message}` };
  }));
  check();
  // On a narrow screen the result is below the query.
  if (getComputedStyle($('work')).flexDirection === 'column') $('right').scrollIntoView({ behavior: 'smooth' });
}

// Accounts ---------------------------------------------------------------------------------------

const PASTE = '\u0000token';
const account = () => accounts.find((a) => a.name === $('account').value);
// A pasted token lives in its input only: not in storage, links or history.
const token = () => ($('account').value === PASTE ? $('token').value.trim().replace(/^Bearer\s+/i, '') : account()?.token) || null;

function choose(name, keep = true) {
  $('account').value = name;
  if ($('account').selectedIndex < 0) $('account').value = '';
  const pasting = $('account').value === PASTE;
  $('token').hidden = !pasting;
  $('account-note').textContent = account()?.note ?? '';
  if (keep) session.set('account', pasting ? null : $('account').value);
}

async function loadAccounts() {
  try {
    const list = await (await fetch('console/accounts.json')).json();
    if (Array.isArray(list)) accounts = list.filter((a) => a?.name && a.token);
  } catch { /* no demo accounts then */ }
  $('account').append(
    ...accounts.map((a) => el('option', { value: a.name }, a.role ? `${a.name} (${a.role})` : a.name)),
    el('option', { value: PASTE }, 'A token I paste'));
  choose(session.get('account', ''), false);
}

// Examples ---------------------------------------------------------------------------------------

const suits = (example) => accounts.find((a) => a.role?.toLowerCase() === example.as?.toLowerCase());
const forAnyone = (example) => !example.as || example.as === 'anyone';

function openExample(example) {
  load(example);
  const fit = suits(example);
  // Whoever has not chosen an account yet gets the one the example is written for.
  if (fit && !forAnyone(example) && session.get('account') === null && $('account').value === '') choose(fit.name);
  drawNote(example);
}

function drawNote(example) {
  const fit = suits(example);
  const other = fit && !forAnyone(example) && account()?.role !== fit.role;
  $('note').hidden = false;
  fill($('note'),
    el('p', {}, el('strong', {}, example.title), ' ', example.about),
    other ? el('button', { type: 'button', class: 'button small', onclick: () => { choose(fit.name); drawNote(example); } }, `Ask as ${fit.name} (${fit.role})`)
      : !forAnyone(example) && !account() && el('span', { class: 'tag' }, `for: ${example.as}`),
    el('button', { type: 'button', class: 'icon-button', 'aria-label': 'Hide this note', onclick: () => { $('note').hidden = true; } }, icon('close')));
}

async function loadExamples() {
  try { examples = await (await fetch('console/examples.json')).json(); } catch { examples = []; }
  menu($('examples-button'), $('examples'), (close) => examples.map((example) => el('button', {
    type: 'button', role: 'menuitem', class: 'menu-item', onclick: () => { close(true); openExample(example); },
  }, el('strong', {}, example.title), !forAnyone(example) && el('span', { class: 'tag' }, example.as), el('span', {}, example.about))));
  $('examples-button').disabled = !examples.length;
}

// Links ------------------------------------------------------------------------------------------

/** The fragment never reaches the server, so shared queries stay out of its logs. */
function share() {
  const link = new URL(window.location.href);
  const parts = { query: query.value };
  if (variables.value.trim()) parts.variables = variables.value;
  link.hash = Object.entries(parts).map(([k, v]) => `${k}=${encodeURIComponent(v)}`).join('&');
  copy(link.href, 'Link copied. It holds the query and its variables, no token.');
}

/** Open a shared query, without running it: a link must not act in the reader's name. */
function openLink() {
  const parts = new URLSearchParams(window.location.hash.slice(1).replaceAll('+', '%2B'));
  if (!parts.has('query')) return null;
  // Taken off the address, so that reloading keeps later edits.
  window.history.replaceState(null, '', window.location.pathname + window.location.search);
  return { query: parts.get('query'), variables: parts.get('variables') ?? '' };
}

// Panes, theme, schema ---------------------------------------------------------------------------

const explorer = new Explorer($('schema-pane'), {
  write: ({ text, variables: values }) => {
    const gap = query.value.trim() ? `${query.value.trimEnd()}\n\n` : '';
    query.replaceAll(gap + text);
    query.goTo(gap.length + text.indexOf('{') + 1);
    const old = json.problems.length || !variables.value.trim() ? {} : JSON.parse(variables.value);
    if (Object.keys(values).length) variables.replaceAll(JSON.stringify({ ...values, ...old }, null, 2));
  },
});
const history = new History($('history-pane'), (entry) => { load(entry); $('note').hidden = true; });

function showSide(which) {
  $('side').hidden = !which;
  $('side-divider').hidden = !which;
  for (const pane of ['schema', 'history']) {
    $(`${pane}-pane`).hidden = pane !== which;
    $(`show-${pane}`).setAttribute('aria-pressed', String(pane === which));
  }
  $('side-title').textContent = which === 'history' ? 'History' : 'Schema';
  if (which === 'history') history.draw(); // “2 minutes ago” has moved on
  local.set('side', which);
}

const THEMES = { auto: 'as the system has them', light: 'light', dark: 'dark' };
function theme(name) {
  document.documentElement.dataset.theme = name;
  $('theme').replaceChildren(icon({ auto: 'auto', light: 'sun', dark: 'moon' }[name]));
  $('theme').title = `Colours: ${THEMES[name]}`;
  $('theme').setAttribute('aria-label', $('theme').title);
  local.set('theme', name === 'auto' ? null : name);
}

/** Where a server does not tell its schema on purpose. */
const NO_SCHEMA = {
  INTROSPECTION_OFF: ['The schema is not shown here', 'This server does not tell its schema, so there are no suggestions. Queries still run.'],
  DOCUMENT_NOT_TRUSTED: [
    'Only known documents are answered here',
    'This server answers documents that its operator has added (stoa documents add), and no others: neither the query for the schema nor one of your own, unless it is among them letter by letter.',
  ],
};

async function loadSchema() {
  // Introspection is the same for everyone, but a server may answer it only to those who signed in.
  for (const modern of [true, false]) {
    const answer = await ask({ query: introspectionQuery(modern), operationName: 'ConsoleSchema' }, token());
    if (answer.body?.data?.__schema) {
      schema = new Schema(answer.body.data);
      explorer.setSchema(schema);
      check();
      return;
    }
    if (modern && answer.body?.errors && answer.status !== 401) continue;
    const why = NO_SCHEMA[answer.body?.errors?.[0]?.extensions?.code];
    if (why) return explorer.setProblem(...why, loadSchema);
    const { title, detail } = answer.trouble ?? { title: 'The schema could not be read', detail: answer.body?.errors?.[0]?.message ?? '' };
    explorer.setProblem(title, `${detail} Without the schema there are no suggestions; queries still run.`, loadSchema);
    return;
  }
}

function wire() {
  const click = (id, handler) => $(id).addEventListener('click', handler);
  click('run', run);
  click('prettify', prettify);
  click('copy', () => copy(query.value, 'Query copied.'));
  click('share', share);
  click('copy-result', () => copy(lastAnswer.body === undefined ? lastAnswer.text : JSON.stringify(lastAnswer.body, null, 2), 'Answer copied.'));
  click('fold', () => {
    const fold = $('fold').textContent === 'Fold';
    drawFold(fold);
    view?.fold(!fold);
  });
  click('theme', () => {
    const names = Object.keys(THEMES);
    theme(names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]);
  });
  for (const pane of ['schema', 'history']) click(`show-${pane}`, () => showSide($(`${pane}-pane`).hidden || $('side').hidden ? pane : null));
  click('close-side', () => showSide(null));
  click('help-button', () => $('help').showModal());
  $('operation').addEventListener('change', (e) => {
    const chosen = namedOperations().find((o) => o.name.text === e.target.value);
    if (chosen) query.goTo(chosen.start);
  });
  $('account').addEventListener('change', (e) => {
    choose(e.target.value);
    if (e.target.value === PASTE) $('token').focus();
    if (!schema) loadSchema();
  });
  $('token').addEventListener('change', () => { if (!schema) loadSchema(); });
  document.addEventListener('keydown', (e) => {
    const mod = e.ctrlKey || e.metaKey;
    if (mod && e.key === 'Enter') run();
    else if ((mod && e.shiftKey && e.code === 'KeyP') || (e.altKey && e.shiftKey && e.code === 'KeyF')) prettify();
    else return;
    e.preventDefault();
  });
  window.addEventListener('hashchange', () => {
    const linked = openLink();
    if (linked) { load(linked); $('note').hidden = true; }
  });
  divider($('side-divider'), { frame: $('bench'), variable: '--side', start: 24, min: 14, max: 50, key: 'split.side' });
  divider($('work-divider'), { frame: $('work'), variable: '--left', start: 50, min: 20, max: 80, key: 'split.work' });
  divider($('variables-divider'), { frame: $('editors'), variable: '--variables', start: 25, min: 8, max: 80, key: 'split.variables', reverse: true });
}

async function start() {
  theme(local.get('theme', 'auto'));
  wire();
  drawRun();
  showSide(local.get('side', null));
  const linked = openLink();
  const draft = linked ?? local.get('draft');
  if (draft?.query) {
    query.load(draft.query);
    variables.load(draft.variables ?? '');
  }
  await Promise.all([loadAccounts(), loadExamples()]);
  if (!draft?.query && examples.length) {
    query.load(examples[0].query);
    variables.load(Object.keys(examples[0].variables ?? {}).length ? JSON.stringify(examples[0].variables, null, 2) : '');
    openExample(examples[0]);
  }
  await loadSchema();
}

start();
