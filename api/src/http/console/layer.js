// The coloured layer under an editor's transparent text: draws the tokens and marks, numbers the
// lines, and knows where on the screen each character is.

import { el } from './ui.js';

export class Layer {
  constructor() {
    this.gutter = el('div', { class: 'gutter', 'aria-hidden': 'true' });
    this.code = el('code');
    this.pre = el('pre', { class: 'code', 'aria-hidden': 'true' }, this.code);
    this.pieces = [];
    this.numbers = '';
    this.code.append('\n'); // a <pre> swallows one last line break
  }

  draw(text, tokens, marks) {
    const pieces = [];
    const piece = (from, to, role) => {
      if (from >= to) return;
      const mark = marks.find((m) => m.from <= from && to <= m.to);
      pieces.push({ name: [role && `t-${role}`, mark && (mark.warning ? 'warned' : 'wrong')].filter(Boolean).join(' '), text: text.slice(from, to) });
    };
    // Cut the text at every edge of a mark as well as of a token, so that each piece is under one mark or none.
    const edges = [...new Set(marks.flatMap((m) => [m.from, m.to]))].sort((a, b) => a - b);
    const run = (from, to, role) => {
      let at = from;
      for (const edge of edges) if (edge > at && edge < to) { piece(at, edge, role); at = edge; }
      piece(at, to, role);
    };
    let at = 0;
    for (const token of tokens) {
      run(at, token.start);
      run(token.start, token.end, token.role);
      at = token.end;
    }
    run(at, text.length);
    this.update(pieces);
    this.number(text, marks);
  }

  /** Typing changes a few pieces in the middle: leave the same ones before and after alone. */
  update(pieces) {
    const old = this.pieces;
    const same = (a, b) => a.name === b.name && a.text === b.text;
    let head = 0;
    while (head < old.length && head < pieces.length && same(old[head], pieces[head])) head += 1;
    let tail = 0;
    while (tail < Math.min(old.length, pieces.length) - head && same(old.at(-1 - tail), pieces.at(-1 - tail))) tail += 1;
    for (const { node } of old.slice(head, old.length - tail)) node.remove();
    const fresh = pieces.slice(head, pieces.length - tail);
    for (const p of fresh) p.node = p.name ? el('span', { class: p.name }, p.text) : document.createTextNode(p.text);
    const next = tail ? old[old.length - tail].node : this.code.lastChild;
    next.before(...fresh.map((p) => p.node));
    this.pieces = [...old.slice(0, head), ...fresh, ...(tail ? old.slice(-tail) : [])];
  }

  number(text, marks) {
    const bad = new Map();
    for (const m of marks) {
      const line = text.slice(0, m.from).split('\n').length;
      bad.set(line, bad.get(line) === 'wrong' || !m.warning ? 'wrong' : 'warned');
    }
    const lines = text.split('\n').length;
    const numbers = JSON.stringify([lines, ...bad]);
    if (numbers === this.numbers) return;
    this.numbers = numbers;
    this.gutter.replaceChildren(...Array.from({ length: lines }, (_, i) => el('div', { class: bad.get(i + 1) ?? '' }, String(i + 1))));
  }

  /** Where an offset is drawn, wide characters and tabs included. */
  rectAt(offset) {
    const range = document.createRange();
    let left = offset;
    for (const { node, text } of this.pieces) {
      if (left < text.length || (left === text.length && text.at(-1) !== '\n')) {
        // A range needs a character to have a box: take the one here, or the right edge of the last.
        const chars = node.firstChild ?? node;
        const first = Math.min(left, text.length - 1);
        range.setStart(chars, first);
        range.setEnd(chars, first + 1);
        const box = range.getClientRects()[0] ?? range.getBoundingClientRect();
        return { left: left < text.length ? box.left : box.right, top: box.top, bottom: box.bottom };
      }
      left -= text.length;
    }
    range.selectNode(this.code.lastChild);
    const box = range.getClientRects()[0] ?? this.code.getBoundingClientRect();
    return { left: box.left, top: box.top, bottom: box.bottom };
  }

  /** The offset under the pointer, or -1 beside the text; exact for characters of one width. */
  offsetAt(text, { clientX, clientY }) {
    const style = getComputedStyle(this.pre);
    const box = this.pre.getBoundingClientRect();
    const lines = text.split('\n');
    const line = Math.floor((clientY - box.top - parseFloat(style.paddingTop)) / parseFloat(style.lineHeight));
    const column = Math.floor((clientX - box.left - parseFloat(style.paddingLeft)) / this.charWidth());
    if (line < 0 || line >= lines.length || column < 0 || column >= lines[line].length) return -1;
    return lines.slice(0, line).reduce((n, l) => n + l.length + 1, 0) + column;
  }

  charWidth() {
    const probe = el('span', {}, '0'.repeat(100));
    this.pre.append(probe);
    const width = probe.getBoundingClientRect().width / 100;
    probe.remove();
    return width;
  }
}
