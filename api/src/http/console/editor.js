// A small code editor: a <textarea> whose own text is transparent, lying exactly over a <pre> that
// shows the same text in colour.
//
// The textarea keeps what browsers do well (undo, selection, touch, input methods, screen readers).
// Both layers share one grid cell that grows with the text, and their parent scrolls, so they cannot
// drift apart. Every change by program goes through `insertText`, which the native undo records.

import { Layer } from './layer.js';
import { el, prose } from './ui.js';

const PAIRS = { '{': '}', '(': ')', '[': ']', '"': '"' };
let count = 0;

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/**
 * Put text in place of the selection. `execCommand` is the one way that native undo knows about. For
 * many lines Chromium's `insertText` takes quadratic time and `insertHTML`, in a textarea, inserts the
 * same plain text at once; browsers without it (or with other ideas) fall through to the next way.
 */
function insertText(area, text) {
  const { value, selectionStart: from, selectionEnd: to } = area;
  const wanted = value.slice(0, from) + text + value.slice(to);
  if (!text) document.execCommand('delete');
  else if (text.split('\n').length > 8) document.execCommand('insertHTML', false, escape(text));
  if (area.value === wanted) return;
  if (area.value === value) document.execCommand('insertText', false, text);
  if (area.value !== wanted) area.value = wanted;
}

export class Editor {
  /**
   * options: label; tokens(text) for colouring; suggest(caret) → { from, to, word, items };
   * describe(offset) → { title, doc, … }; follow(thing) for Ctrl-click; onChange(); onCaret(offset).
   */
  constructor(host, options) {
    this.options = options;
    this.marks = [];
    const id = `suggest-${count += 1}`;
    this.layer = new Layer();
    this.area = el('textarea', {
      class: 'code-input', rows: '1', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', autocorrect: 'off', wrap: 'off',
      'aria-label': options.label, 'aria-autocomplete': 'list', 'aria-controls': id, 'aria-describedby': 'editor-help',
    });
    this.scroller = el('div', { class: 'scroller' }, this.layer.gutter, el('div', { class: 'layers' }, this.layer.pre, this.area));
    this.list = el('ul', { id, role: 'listbox', class: 'suggestions', 'aria-label': 'Suggestions' });
    this.about = el('div', { class: 'suggestion-about' });
    this.popup = el('div', { class: 'popup', hidden: true }, this.list, this.about);
    this.tip = el('div', { class: 'popup tip', role: 'tooltip', hidden: true });
    host.append(this.scroller);
    document.body.append(this.popup, this.tip);

    const on = (type, handler) => this.area.addEventListener(type, handler);
    on('beforeinput', (e) => this.pairUp(e));
    on('input', (e) => this.changed(e));
    on('keydown', (e) => this.key(e));
    on('blur', () => { this.close(); this.leaving = false; });
    on('scroll', () => { this.area.scrollTop = 0; this.area.scrollLeft = 0; });
    on('mousedown', (e) => { this.close(); this.hideTip(); if (e.ctrlKey || e.metaKey) this.followAt(e); });
    on('mousemove', (e) => this.hover(e));
    on('mouseleave', () => this.hideTip());
    this.scroller.addEventListener('scroll', () => { this.close(); this.hideTip(); });
    // A click below or beside the text still means “let me write here”.
    this.scroller.addEventListener('mousedown', (e) => {
      if (e.target !== this.scroller) return;
      e.preventDefault();
      this.area.focus();
      this.area.setSelectionRange(this.value.length, this.value.length);
    });
    document.addEventListener('selectionchange', () => {
      if (document.activeElement === this.area) options.onCaret?.(this.area.selectionStart);
    });
    this.popup.addEventListener('mousedown', (e) => {
      e.preventDefault(); // keep the focus, and with it the cursor, in the text
      const row = e.target.closest('[role=option]');
      if (row) this.accept(Number(row.dataset.index));
    });
    this.paint();
  }

  get value() { return this.area.value; }
  get caret() { return this.area.selectionStart; }

  /** The text of a freshly opened page: nothing to undo. */
  load(text) {
    this.area.value = text;
    this.changed();
  }

  /** Replace a range, undoably; `back` places the cursor that far before the end of what went in. */
  replace(from, to, text, back = 0) {
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(from, to);
    this.insert(text);
    const caret = from + text.length - back;
    this.area.setSelectionRange(caret, caret);
    this.reveal();
  }

  /** One change by program, though the browser may report it line by line. */
  insert(text) {
    this.inserting = true;
    insertText(this.area, text);
    this.inserting = false;
    this.changed();
  }

  replaceAll(text) {
    if (text === this.value) return;
    const back = document.activeElement;
    this.replace(0, this.value.length, text, text.length);
    this.scroller.scrollTo(0, 0);
    // On a phone the focus would bring up the keyboard.
    if (back !== this.area) (back?.isConnected && back !== document.body ? back.focus({ preventScroll: true }) : this.area.blur());
  }

  goTo(from, to = from) {
    this.area.focus({ preventScroll: true });
    this.area.setSelectionRange(from, to);
    this.reveal(true);
  }

  /** Underline ranges: `[{ from, to, message, warning }]`. */
  setMarks(marks) {
    this.marks = marks;
    this.paint();
  }

  changed(event) {
    if (this.inserting) return;
    this.hideTip();
    this.options.onChange?.(this.value);
    this.paint();
    if (!event) return;
    this.reveal();
    const typed = event.inputType?.startsWith('insert') && /[\w$@(."]$/.test(event.data ?? '');
    if (typed || (!this.popup.hidden && event.inputType?.startsWith('delete'))) this.suggest(false);
    else this.close();
  }

  paint() { this.layer.draw(this.value, this.options.tokens(this.value), this.marks); }

  // Keys ---------------------------------------------------------------------------------------

  key(event) {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.isComposing) return;
    if ((event.ctrlKey || event.altKey) && event.code === 'Space') {
      event.preventDefault();
      this.suggest(true);
    } else if (!this.popup.hidden && plain && this.popupKey(event)) {
      event.preventDefault();
    } else if (event.key === 'Escape') {
      // Tab indents, so the keyboard needs a way out: Escape, then Tab.
      this.leaving = true;
      return;
    } else if (event.key === 'Tab' && plain && !this.leaving) {
      event.preventDefault();
      this.indent(event.shiftKey);
    } else if (event.key === 'Enter' && plain && !event.shiftKey) {
      event.preventDefault();
      this.breakLine();
    } else if (event.key === 'Backspace' && plain && this.caret === this.area.selectionEnd
      && PAIRS[this.value[this.caret - 1]] === this.value[this.caret] && this.value[this.caret]) {
      event.preventDefault();
      this.replace(this.caret - 1, this.caret + 1, '');
    } else if (event.key === '/' && (event.ctrlKey || event.metaKey) && this.options.comments) {
      event.preventDefault();
      this.editLines((lines) => (lines.every((l) => /^\s*(#|$)/.test(l))
        ? lines.map((l) => l.replace(/^(\s*)# ?/, '$1'))
        : lines.map((l) => (l.trim() ? l.replace(/^(\s*)/, '$1# ') : l))));
    } else if (/^(Arrow(Left|Right)|Home|End|Page)/.test(event.key)) this.close();
    this.leaving = false;
  }

  popupKey(event) {
    const last = this.found.items.length - 1;
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (move) {
      const to = this.active + move;
      this.select(Math.abs(move) === 1 ? (to < 0 ? last : to > last ? 0 : to) : Math.max(0, Math.min(last, to)));
      return true;
    }
    if (event.key === 'Escape') { this.close(); return true; }
    if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey && this.active >= 0) { this.accept(this.active); return true; }
    return false;
  }

  /** Brackets and quotes come in pairs; typing the closing one over itself just steps past it. */
  pairUp(event) {
    if (event.inputType !== 'insertText' || event.isComposing || event.data?.length !== 1) return;
    const { selectionStart: from, selectionEnd: to } = this.area;
    const text = this.value;
    const char = event.data;
    const quote = char === '"';
    if (from === to && text[from] === char && (quote ? text[from - 1] !== '\\' : Object.values(PAIRS).includes(char))) {
      event.preventDefault();
      this.area.setSelectionRange(from + 1, from + 1);
      this.close();
    } else if (PAIRS[char] && from !== to && !quote) {
      event.preventDefault();
      this.insert(char + text.slice(from, to) + PAIRS[char]);
      this.area.setSelectionRange(from + 1, to + 1);
    } else if (PAIRS[char] && from === to && /^[\s)\]},]?$/.test(text[from] ?? '') && !(quote && /["\w\\]/.test(text[from - 1] ?? ''))) {
      event.preventDefault();
      this.insert(char + PAIRS[char]);
      this.area.setSelectionRange(from + 1, from + 1);
      if (char === '(' || quote) this.suggest(false);
    }
  }

  breakLine() {
    const { selectionStart: from, selectionEnd: to, value } = this.area;
    const indent = /^[ \t]*/.exec(value.slice(value.lastIndexOf('\n', from - 1) + 1, from))[0];
    const opener = '{(['.includes(value[from - 1] || ' ');
    const between = opener && PAIRS[value[from - 1]] === value[to];
    const tail = between ? `\n${indent}` : '';
    this.replace(from, to, `\n${indent}${opener ? '  ' : ''}${tail}`, tail.length);
  }

  indent(outward) {
    const { selectionStart: from, selectionEnd: to, value } = this.area;
    if (outward) this.editLines((lines) => lines.map((l) => l.replace(/^( {1,2}|\t)/, '')));
    else if (value.slice(from, to).includes('\n')) this.editLines((lines) => lines.map((l) => (l ? `  ${l}` : l)));
    else this.replace(from, to, '  ');
  }

  editLines(change) {
    const { selectionStart: from, selectionEnd: to, value } = this.area;
    const start = value.lastIndexOf('\n', from - 1) + 1;
    const end = value.indexOf('\n', to) < 0 ? value.length : value.indexOf('\n', to);
    const old = value.slice(start, end).split('\n');
    const lines = change(old);
    const text = lines.join('\n');
    if (text === value.slice(start, end)) return;
    this.replace(start, end, text);
    const first = Math.max(start, from + lines[0].length - old[0].length);
    this.area.setSelectionRange(first, Math.max(first, to + text.length - (end - start)));
  }

  // Suggestions --------------------------------------------------------------------------------

  suggest(asked) {
    if (this.caret !== this.area.selectionEnd) return;
    const found = this.options.suggest?.(this.caret);
    const only = found?.items.length === 1 && found.items[0];
    if (!found?.items.length || (!asked && only && only.label === found.word && (only.insert ?? only.label) === found.word)) {
      this.close();
      return;
    }
    this.found = found;
    const row = (item, i) => el('li', {
      id: `${this.list.id}-${i}`, role: 'option', 'data-index': i, 'aria-selected': 'false', class: item.deprecated ? 'deprecated' : '',
    }, el('span', { class: 'suggestion-label' }, item.label), el('span', { class: 'suggestion-detail' }, item.detail ?? ''));
    this.list.replaceChildren(...found.items.map(row));
    this.popup.hidden = false;
    // Nothing typed and nothing asked: offer without catching Enter.
    const exact = found.items[0].label === found.word && (found.items[0].insert ?? found.word) === found.word;
    this.select(asked || (found.word && !exact) ? 0 : -1);
    this.place(this.popup, this.layer.rectAt(found.from));
  }

  select(index) {
    this.active = index;
    [...this.list.children].forEach((row, i) => row.setAttribute('aria-selected', String(i === index)));
    const row = this.list.children[index];
    if (row) this.area.setAttribute('aria-activedescendant', row.id);
    else this.area.removeAttribute('aria-activedescendant');
    row?.scrollIntoView({ block: 'nearest' });
    const item = this.found.items[index];
    this.about.replaceChildren(...(item?.deprecated ? [el('div', { class: 'warning' }, ...prose(`Deprecated: ${item.deprecated}`))] : []), ...prose(item?.doc));
    this.about.hidden = !this.about.firstChild;
  }

  accept(index) {
    const item = this.found.items[index];
    const { from, to } = this.found;
    this.close();
    this.replace(from, to, item.insert ?? item.label, item.back);
    if (item.again) this.suggest(false);
  }

  close() {
    if (this.popup.hidden) return;
    this.popup.hidden = true;
    this.area.removeAttribute('aria-activedescendant');
  }

  // Places on the screen -----------------------------------------------------------------------

  reveal(far = false) {
    const at = this.layer.rectAt(this.area.selectionEnd);
    const view = this.scroller.getBoundingClientRect();
    const margin = 8;
    // A jump (to an error, say) lands a third of the way down, where both sides of it can be seen.
    if (far && (at.top < view.top || at.bottom > view.bottom)) this.scroller.scrollTop += at.top - view.top - view.height / 3;
    else if (at.bottom > view.bottom - margin) this.scroller.scrollTop += at.bottom - view.bottom + margin;
    else if (at.top < view.top + margin) this.scroller.scrollTop -= view.top + margin - at.top;
    const edge = view.left + this.layer.gutter.offsetWidth + margin;
    if (at.left > view.right - 24) this.scroller.scrollLeft += at.left - view.right + 48;
    else if (at.left < edge) this.scroller.scrollLeft -= edge - at.left + 24;
  }

  place(box, at) {
    const { innerWidth: w, innerHeight: h } = window;
    const below = at.bottom + 4;
    const fits = below + box.offsetHeight < h || at.top < h / 2;
    box.style.left = `${Math.max(4, Math.min(at.left, w - box.offsetWidth - 4))}px`;
    box.style.top = `${fits ? below : Math.max(4, at.top - box.offsetHeight - 4)}px`;
  }

  // The pointer --------------------------------------------------------------------------------

  hover(event) {
    const offset = this.layer.offsetAt(this.value, event);
    if (offset === this.hovered) return;
    this.hideTip();
    this.hovered = offset;
    if (offset < 0 || event.buttons) return;
    this.timer = setTimeout(() => {
      const mark = this.marks.find((m) => m.from <= offset && offset < Math.max(m.to, m.from + 1));
      const thing = this.options.describe?.(offset);
      if ((!mark && !thing) || !this.popup.hidden) return;
      this.tip.replaceChildren(...[
        mark && el('p', { class: mark.warning ? 'warning' : 'error' }, mark.message),
        thing && el('p', { class: 'tip-title' }, thing.title),
        ...prose(thing?.doc),
        thing?.deprecated && el('div', { class: 'warning' }, ...prose(`Deprecated: ${thing.deprecated}`)),
      ].filter(Boolean));
      this.tip.hidden = false;
      this.place(this.tip, this.layer.rectAt(offset));
    }, 350);
  }

  hideTip() {
    clearTimeout(this.timer);
    this.hovered = -1;
    this.tip.hidden = true;
  }

  followAt(event) {
    const thing = this.options.describe?.(this.layer.offsetAt(this.value, event));
    if (thing?.type) { event.preventDefault(); this.options.follow?.(thing); }
  }
}
