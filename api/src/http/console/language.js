// Reading GraphQL: tokens and a forgiving parser.
//
// One parser serves four users, so they can never disagree:
//   colouring   every token gets a `role` while it is parsed;
//   completion  parses the text *before* the cursor: what the parser was waiting for when the
//               text ran out (`expected`) is what may be typed there;
//   checking    assist.js walks the tree this returns;
//   prettify    (format.js) lays the same tokens out again, so it cannot lose one.

const TOKEN = new RegExp([
  /[\s,\uFEFF]+/,
  /(?<comment>#[^\n\r]*)/,
  /(?<block>"""(?:\\"""|(?!""")[^])*(?<blockEnd>"""|$))/,
  /(?<string>"(?:\\.|[^"\\\n\r])*(?<stringEnd>"?))/,
  /(?<name>[_A-Za-z]\w*)/,
  /(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/,
  /(?<punct>\.\.\.|[!$&():=@[\]{|}])/,
  /(?<bad>[^])/,
].map((r) => r.source).join('|'), 'uy');

/** Tokens with offsets, comments included, white space and commas left out. */
export function tokenize(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  for (let m; TOKEN.lastIndex < text.length && (m = TOKEN.exec(text)); ) {
    const g = m.groups;
    const token = { start: m.index, end: m.index + m[0].length, text: m[0], role: null };
    if (g.comment !== undefined) token.kind = token.role = 'comment';
    else if (g.block !== undefined || g.string !== undefined) {
      token.kind = token.role = 'string';
      token.open = !(g.block !== undefined ? g.blockEnd : g.stringEnd);
    } else if (g.name !== undefined) token.kind = 'name';
    else if (g.number !== undefined) token.kind = token.role = 'number';
    else if (g.punct !== undefined) token.kind = token.role = 'punct';
    else if (g.bad !== undefined) token.kind = token.role = 'bad';
    else continue;
    tokens.push(token);
  }
  return tokens;
}

/** Parse an executable document. Never throws: mistakes become `problems`. */
export function parse(text) {
  return new Parser(text).document();
}

const show = (token) => (token.kind === 'eof' ? 'the end of the text' : `“${token.text.slice(0, 30)}”`);
const OPERATIONS = ['query', 'mutation', 'subscription'];

class Parser {
  constructor(text) {
    this.text = text;
    this.tokens = tokenize(text);
    this.code = this.tokens.filter((t) => t.kind !== 'comment');
    this.eof = { kind: 'eof', text: '', start: text.length, end: text.length };
    this.i = 0;
    this.problems = [];
    this.expected = null;
    this.lastProblem = -2;
  }

  get tok() { return this.code[this.i] ?? this.eof; }
  get done() { return this.i >= this.code.length; }
  get end() { return this.code[this.i - 1]?.end ?? 0; }
  isName() { return this.tok.kind === 'name'; }
  is(text) { return this.tok.text === text && (this.tok.kind === 'punct' || this.tok.kind === 'name'); }

  /** Consume a token. Naming its role colours it; naming its node lets the cursor find the node. */
  take(role, node) {
    const token = this.tok;
    if (role) token.role = role;
    if (node) token.node = node;
    this.i += 1;
    return token;
  }

  eat(text) { return this.is(text) ? this.take() : null; }

  problem(message, at = this.tok) {
    // One mistake tends to upset several tokens in a row; only the first report helps.
    if (this.i - this.lastProblem > 1) this.problems.push({ from: at.start, to: at.end, message });
    this.lastProblem = this.i;
  }

  /** The innermost rule that runs out of text says what could come next; outer rules are ignored. */
  want(kind, node) { if (this.done) this.expected ??= { kind, node }; }

  document() {
    const doc = { kind: 'Document', text: this.text, tokens: this.tokens, definitions: [] };
    while (!this.done) {
      const first = this.tok;
      let node = null;
      if (this.is('{') || OPERATIONS.includes(first.text)) node = this.operation(doc);
      else if (this.is('fragment')) node = this.fragment(doc);
      if (node) {
        first.item = doc;
        doc.definitions.push(node);
      } else {
        this.problem(`Expected “query”, “mutation”, “fragment” or “{”, found ${show(first)}.`);
        this.take();
      }
    }
    this.want('definition', doc);
    return Object.assign(doc, { problems: this.problems, expected: this.expected });
  }

  operation(doc) {
    const node = { kind: 'Operation', parent: doc, operation: 'query', name: null, variables: [], directives: [], start: this.tok.start };
    if (!this.is('{')) {
      node.operation = this.take('keyword').text;
      if (this.isName()) node.name = this.take('def');
      if (this.is('(')) node.variables = this.group(')', 'variableDefinition', node, () => this.variableDefinition(node));
      node.directives = this.directives(node);
    }
    return this.body(node);
  }

  fragment(doc) {
    const node = { kind: 'Fragment', parent: doc, name: null, condition: null, directives: [], start: this.tok.start };
    this.take('keyword');
    if (this.isName() && !this.is('on')) node.name = this.take('def', node);
    else this.problem('Expected the name of the fragment.');
    if (this.is('on')) {
      this.take('keyword');
      this.condition(node);
    } else {
      this.want('on', node);
      this.problem('Expected “on” and a type.');
    }
    node.directives = this.directives(node);
    return this.body(node);
  }

  body(node) {
    if (this.is('{')) node.set = this.selectionSet(node);
    else {
      this.want('nothing', node);
      this.problem(`Expected “{”, found ${show(this.tok)}.`);
    }
    node.end = this.end;
    return node;
  }

  condition(node) {
    if (this.isName()) node.condition = this.take('type', node);
    else {
      this.want('condition', node);
      this.problem('Expected a type after “on”.');
    }
  }

  /** `{ … }`, `( … )` or `[ … ]`: items until the closing bracket, going on past what cannot be read. */
  group(close, kind, owner, item) {
    const open = this.take();
    open.shape = kind === 'selection' ? 'set' : 'list';
    const items = [];
    for (;;) {
      if (this.is(close)) {
        const end = this.take();
        open.mate = end;
        end.mate = open;
        if (!items.length && ['selection', 'argument', 'variableDefinition'].includes(kind)) {
          this.problem(`There is nothing between “${open.text}” and “${close}”.`, { start: open.start, end: end.end });
        }
        return items;
      }
      if (this.done || this.startsDefinition()) break;
      const first = this.tok;
      const before = this.i;
      const node = item();
      if (node) {
        first.item = open;
        items.push(node);
      } else if (open.shape === 'list' && /^[{}()[\]]$/.test(this.tok.text)) {
        break; // some other bracket: this list was never closed
      } else if (this.i === before) {
        this.problem(`Unexpected ${show(this.tok)}.`);
        this.take();
      }
    }
    this.want(kind, owner);
    // Several brackets left open at the end are one mistake: point at the innermost.
    if (!this.done || !this.reportedOpen) this.problem(`This “${open.text}” is never closed.`, open);
    this.reportedOpen = this.done;
    return items;
  }

  /** A definition's keyword at the margin means the selection above lacks its closing brace. */
  startsDefinition() {
    const { start, text } = this.tok;
    if (!(start === 0 || this.text[start - 1] === '\n') || ![...OPERATIONS, 'fragment'].includes(text)) return false;
    const next = this.code[this.i + 1];
    return next?.kind === 'name' || next?.text === '{' || next?.text === '(';
  }

  selectionSet(parent) {
    const set = { kind: 'Set', parent, start: this.tok.start, selections: [] };
    set.selections = this.group('}', 'selection', set, () => this.selection(set));
    set.end = this.end;
    return set;
  }

  selection(set) {
    if (this.isName()) return this.field(set);
    if (!this.is('...')) return null;
    const start = this.take().start;
    const node = { parent: set, name: null, condition: null, directives: [], set: null, start };
    if (this.isName() && !this.is('on')) {
      node.kind = 'Spread';
      node.name = this.take('def', node);
    } else {
      node.kind = 'Inline';
      if (this.is('on')) {
        this.take('keyword');
        this.condition(node);
      } else if (!this.is('@') && !this.is('{')) {
        this.want('spread', set);
        this.problem('Expected a fragment’s name or “on” and a type.');
        return node;
      }
    }
    node.directives = this.directives(node);
    if (node.kind === 'Inline') return this.body(node);
    node.end = this.end;
    return node;
  }

  field(set) {
    const node = { kind: 'Field', parent: set, alias: null, name: null, args: [], directives: [], start: this.tok.start };
    node.name = this.take('field', node);
    if (this.eat(':')) {
      node.alias = node.name;
      node.alias.role = 'alias';
      node.name = null;
      if (this.isName()) node.name = this.take('field', node);
      else {
        this.want('selection', set);
        this.problem('Expected a field after the alias.');
      }
    }
    if (this.is('(')) node.args = this.arguments(node);
    node.directives = this.directives(node);
    if (this.is('{')) node.set = this.selectionSet(node);
    node.end = this.end;
    return node;
  }

  arguments(owner) { return this.group(')', 'argument', owner, () => this.pair('Argument', owner)); }

  /** `name: value`, as an argument or as a field of an input object. */
  pair(kind, parent) {
    if (!this.isName()) return null;
    const node = { kind, parent, name: null, value: null };
    node.name = this.take('arg', node);
    if (this.eat(':')) node.value = this.value(node);
    else {
      this.want('nothing', node);
      this.problem(`Expected “:” after “${node.name.text}”.`);
    }
    return node;
  }

  directives(owner) {
    const list = [];
    while (this.is('@')) {
      this.take('directive');
      const node = { kind: 'Directive', parent: owner, name: null, args: [] };
      if (this.isName()) node.name = this.take('directive', node);
      else {
        this.want('directive', owner);
        this.problem('Expected a directive’s name after “@”.');
      }
      if (this.is('(')) node.args = this.arguments(node);
      list.push(node);
    }
    return list;
  }

  variableDefinition(owner) {
    if (!this.is('$')) return null;
    const start = this.take('var').start;
    const node = { kind: 'VariableDefinition', parent: owner, name: null, type: null, value: null, start };
    if (this.isName()) node.name = this.take('var', node);
    else {
      this.want('nothing', node);
      this.problem('Expected a variable’s name after “$”.');
    }
    if (this.eat(':')) node.type = this.typeReference(node);
    else {
      this.want('nothing', node);
      this.problem('Expected “:” and a type.');
    }
    if (this.eat('=')) node.value = this.value(node);
    this.directives(node);
    return node;
  }

  /** A type as written, in the shape introspection uses, so the two compare directly. */
  typeReference(owner) {
    let type = null;
    if (this.is('[')) {
      type = { kind: 'LIST', ofType: null };
      type.ofType = this.group(']', 'inputType', owner, () => this.typeReference(owner))[0] ?? null;
    } else if (this.isName()) {
      const token = this.take('type');
      token.node = { kind: 'NamedType', name: token };
      type = { kind: 'NAMED', name: token.text, token };
    } else {
      this.want('inputType', owner);
      this.problem('Expected a type.');
      return null;
    }
    return this.eat('!') ? { kind: 'NON_NULL', ofType: type } : type;
  }

  value(parent) {
    const token = this.tok;
    const node = { kind: 'Literal', parent, token, start: token.start };
    if (this.is('$')) {
      node.kind = 'Variable';
      this.take('var');
      if (this.isName()) node.name = this.take('var', node);
      else {
        this.want('variable', parent);
        this.problem('Expected a variable’s name after “$”.');
      }
    } else if (this.is('[')) {
      node.kind = 'List';
      node.items = this.group(']', 'value', node, () => this.value(node));
    } else if (this.is('{')) {
      node.kind = 'Object';
      node.fields = this.group('}', 'inputField', node, () => this.pair('ObjectField', node));
    } else if (token.kind === 'number' || token.kind === 'string') {
      if (token.open) this.problem('This text is never closed with a quotation mark.');
      this.take(token.kind, node);
    } else if (token.kind === 'name') {
      this.take(['true', 'false', 'null'].includes(token.text) ? 'literal' : 'enum', node);
    } else {
      this.want('value', parent);
      // In a list the caller decides what a non-value means: it may be a bracket closing something else.
      if (parent.kind !== 'List') this.problem(`Expected a value, found ${show(token)}.`);
      return null;
    }
    node.end = this.end;
    return node;
  }
}

/** The definition (operation or fragment) that holds an offset. */
export const definitionAt = (doc, offset) => doc.definitions.find((d) => d.start <= offset && offset <= d.end);

/** The token under an offset; between two touching tokens, the one that is a name. */
export function tokenAt(doc, offset) {
  const touching = doc.tokens.filter((t) => t.start <= offset && offset <= t.end);
  return touching.find((t) => t.kind === 'name') ?? touching[0];
}

export function position(text, offset) {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: before.at(-1).length + 1 };
}

export function offsetOf(text, { line, column }) {
  const lines = text.split('\n').slice(0, line - 1);
  return Math.min(text.length, lines.reduce((n, l) => n + l.length + 1, 0) + column - 1);
}
