// Reading the variables: JSON with offsets, so that mistakes can be underlined and keys completed.
// JSON.parse alone says what is wrong but, across browsers, not dependably where.

const TOKEN = /\s+|(?<string>"(?:\\.|[^"\\\n\r])*(?<stringEnd>"?))|(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>[A-Za-z_$][\w$]*)|(?<punct>[{}[\],:])|(?<bad>[^])/uy;
const WORDS = ['true', 'false', 'null'];

function tokenize(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  for (let m; TOKEN.lastIndex < text.length && (m = TOKEN.exec(text)); ) {
    const g = m.groups;
    const kind = ['string', 'number', 'word', 'punct', 'bad'].find((k) => g[k] !== undefined);
    if (!kind) continue;
    const token = { kind, role: kind, text: m[0], start: m.index, end: m.index + m[0].length };
    if (kind === 'string') token.open = !g.stringEnd;
    if (kind === 'word') token.role = WORDS.includes(m[0]) ? 'literal' : 'bad';
    tokens.push(token);
  }
  return tokens;
}

/**
 * Parse text as JSON. Returns `tokens` (with roles), `problems`, `root` (a tree with offsets) and,
 * when the text ran out, `expected`: `{ kind: 'key' | 'value', path, given }`.
 */
export function parseJson(text) {
  const tokens = tokenize(text);
  const problems = [];
  let expected = null;
  let i = 0;
  const eof = { kind: 'eof', text: '', start: text.length, end: text.length };
  const tok = () => tokens[i] ?? eof;
  const is = (t) => tok().kind === 'punct' && tok().text === t;
  // The first mistake is the one to show; after it the rest is guesswork.
  const problem = (message, at = tok()) => { if (!problems.length) problems.push({ from: at.start, to: at.end, message }); };
  const want = (kind, path, given) => { if (tok() === eof) expected ??= { kind, path, given }; };
  const name = () => (tok() === eof ? 'the end of the text' : `“${tok().text.slice(0, 30)}”`);

  function members(close, member, open) {
    for (;;) {
      if (is(close)) { i += 1; return; }
      if (tok() === eof) break;
      const before = i;
      member();
      if (is(',')) {
        i += 1;
        if (is(close)) problem(`JSON allows no comma before “${close}”.`, tokens[i - 1]);
      } else if (!is(close) && tok() !== eof) {
        problem(`Expected “,” or “${close}”, found ${name()}.`);
        if (i === before) i += 1;
      }
    }
    member('end');
    problem(`This “${open.text}” is never closed.`, open);
  }

  function value(path) {
    const token = tok();
    const node = { token, start: token.start, end: token.end, path };
    if (is('{')) {
      i += 1;
      node.members = [];
      members('}', (end) => {
        const given = node.members.map((m) => m.key);
        if (end) { want('key', path, given); return; }
        const key = tok();
        if (key.kind !== 'string') {
          problem(`Expected a name in quotation marks, found ${name()}.`);
          i += 1;
          return;
        }
        key.role = 'key';
        i += 1;
        const member = { key: unquote(key.text), token: key, value: null };
        node.members.push(member);
        if (key.open) problem('This name is never closed with a quotation mark.', key);
        if (!is(':')) { problem(`Expected “:”, found ${name()}.`); return; }
        i += 1;
        member.value = value([...path, member.key]);
      }, token);
    } else if (is('[')) {
      i += 1;
      node.items = [];
      members(']', (end) => {
        const inner = [...path, node.items.length];
        if (end) want('value', inner);
        else node.items.push(value(inner));
      }, token);
    } else if (token.kind === 'string' || token.kind === 'number' || WORDS.includes(token.text)) {
      if (token.open) problem('This text is never closed with a quotation mark.');
      i += 1;
    } else {
      want('value', path);
      problem(`Expected a value, found ${name()}.`);
      if (token !== eof && !/^[}\],]$/.test(token.text)) i += 1;
      return null;
    }
    node.end = tokens[i - 1].end;
    return node;
  }

  let root = null;
  if (tokens.length) {
    root = value([]);
    if (tok() !== eof) problem(`Unexpected ${name()} after the end.`);
  } else {
    want('object', []);
  }
  return { tokens, problems, root, expected };
}

function unquote(text) {
  try { return JSON.parse(text); } catch { return text.slice(1); }
}
