// The last fifty queries that were run, kept in this browser. Never tokens: an entry is the query,
// its variables and which operation, nothing about who asked.

import { ago, el, icon, local, toast } from './ui.js';

const KEPT = 50;

export class History {
  /** `open(entry)` puts an entry back into the editors. */
  constructor(host, open) {
    Object.assign(this, { host, open });
    this.entries = local.get('history', []);
    if (!Array.isArray(this.entries)) this.entries = [];
    this.draw();
  }

  add(entry) {
    // Running something again moves it to the top instead of listing it twice.
    const same = (e) => e.query === entry.query && e.variables === entry.variables && e.operationName === entry.operationName;
    this.save([{ ...entry, at: Date.now() }, ...this.entries.filter((e) => !same(e))].slice(0, KEPT));
  }

  save(entries) {
    this.entries = entries;
    local.set('history', entries);
    this.draw();
  }

  draw() {
    if (!this.entries.length) {
      this.host.replaceChildren(el('p', { class: 'quiet' }, 'Queries you run are listed here.'));
      return;
    }
    this.host.replaceChildren(
      el('ul', { class: 'history' }, ...this.entries.map((entry) => el('li', {},
        el('button', { type: 'button', class: 'history-entry', onclick: () => this.open(entry) },
          el('strong', {}, entry.operationName || summary(entry.query)), el('span', {}, ago(entry.at))),
        el('button', { type: 'button', class: 'icon-button', 'aria-label': 'Forget this query', title: 'Forget', onclick: () => this.save(this.entries.filter((e) => e !== entry)) }, icon('bin'))))),
      el('button', { type: 'button', class: 'button', onclick: () => { this.save([]); toast('History cleared.'); } }, 'Clear history'));
  }
}

/** A nameless query by its first fields. */
const summary = (query) => query.replace(/#.*$/gm, '').replace(/\s+/g, ' ').trim().slice(0, 60) || '(empty)';
