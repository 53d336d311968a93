// Small helpers for the page: elements, storage, menus, dividers, messages, the clipboard.

/** Make an element. Properties are attributes, except functions, which listen to events. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value == null) continue;
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter(present));
  return node;
}

const present = (child) => child != null && child !== false;
/** Replace what an element holds; absent children may be null or false. */
export const fill = (node, ...children) => node.replaceChildren(...children.filter(present));

export const $ = (id) => document.getElementById(id);

const SVG = 'http://www.w3.org/2000/svg';
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Web storage that may be full, switched off or hold nonsense: then the console just forgets. */
export function store(area, prefix = 'stoa.console.') {
  return {
    get(key, fallback = null) {
      try { return JSON.parse(area().getItem(prefix + key)) ?? fallback; } catch { return fallback; }
    },
    set(key, value) {
      try {
        if (value == null) area().removeItem(prefix + key);
        else area().setItem(prefix + key, JSON.stringify(value));
      } catch { /* not kept */ }
    },
  };
}
// Reading the property itself can throw when storage is blocked, hence the functions.
export const local = store(() => window.localStorage);
export const session = store(() => window.sessionStorage);

let toastTimer;
/** A short message that goes away by itself; also read out. */
export function toast(message) {
  const box = $('toast');
  box.textContent = message;
  box.classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => box.classList.remove('shown'), 3200);
}

/** Copy text; the older way serves pages without TLS, where the Clipboard API is absent. */
export async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const back = document.activeElement;
    const area = el('textarea', { class: 'visually-hidden', 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand('copy');
    area.remove();
    back?.focus?.({ preventScroll: true });
    if (!copied) { toast('The browser did not allow copying.'); return; }
  }
  toast(done);
}

/** A button that opens a menu. `items()` returns the menu's elements, made anew each time. */
export function menu(button, panel, items) {
  const rows = () => [...panel.querySelectorAll('[role=menuitem]')];
  const close = (focus) => {
    panel.hidden = true;
    button.setAttribute('aria-expanded', 'false');
    if (focus) button.focus();
  };
  const open = () => {
    panel.replaceChildren(...items(close));
    panel.hidden = false;
    button.setAttribute('aria-expanded', 'true');
    rows()[0]?.focus();
  };
  button.addEventListener('click', () => (panel.hidden ? open() : close(true)));
  button.addEventListener('keydown', (e) => { if (e.key === 'ArrowDown') { e.preventDefault(); open(); } });
  panel.addEventListener('keydown', (e) => {
    const list = rows();
    const at = list.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[e.key];
    if (to !== undefined) { e.preventDefault(); list.at(to % list.length)?.focus(); }
    if (e.key === 'Escape') { e.stopPropagation(); close(true); }
    if (e.key === 'Tab') close(true);
  });
  document.addEventListener('pointerdown', (e) => {
    if (!panel.hidden && !panel.contains(e.target) && !button.contains(e.target)) close(false);
  });
}

/**
 * A divider between two panes, moved by pointer or arrow keys. It sets a CSS variable on `frame`, in
 * per cent; double-click or Enter restores the default.
 */
export function divider(handle, { frame, variable, start, min = 10, max = 90, key, reverse = false }) {
  const vertical = handle.getAttribute('aria-orientation') === 'vertical';
  let value = start;
  const set = (next, keep = true) => {
    value = Math.min(max, Math.max(min, next));
    frame.style.setProperty(variable, `${value}%`);
    handle.setAttribute('aria-valuenow', Math.round(value));
    if (keep) local.set(key, value);
  };
  handle.setAttribute('aria-valuemin', min);
  handle.setAttribute('aria-valuemax', max);
  set(local.get(key, start), false);
  handle.addEventListener('pointerdown', (e) => {
    e.preventDefault();
    handle.focus();
    handle.setPointerCapture(e.pointerId);
  });
  handle.addEventListener('pointermove', (e) => {
    if (!handle.hasPointerCapture(e.pointerId)) return;
    const box = frame.getBoundingClientRect();
    const part = vertical ? (e.clientX - box.left) / box.width : (e.clientY - box.top) / box.height;
    set((reverse ? 1 - part : part) * 100);
  });
  handle.addEventListener('dblclick', () => set(start));
  handle.addEventListener('keydown', (e) => {
    const less = vertical ? 'ArrowLeft' : 'ArrowUp';
    const more = vertical ? 'ArrowRight' : 'ArrowDown';
    const step = (e.key === less ? -3 : e.key === more ? 3 : 0) * (reverse ? -1 : 1);
    const to = { Home: min, End: max, Enter: start }[e.key] ?? (step ? value + step : null);
    if (to !== null) { e.preventDefault(); set(to); }
  });
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
export function ago(time) {
  const seconds = (time - Date.now()) / 1000;
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
    if (-seconds >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return 'just now';
}

export function bytes(n) {
  if (n < 1000) return `${n} B`;
  return n < 1e6 ? `${(n / 1000).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

/** A description as elements: paragraphs, list items and `code`, which is what descriptions use. */
export function prose(text) {
  const inline = (s) => s.split(/(`[^`]+`)/).map((part) => (/^`.+`$/.test(part) ? el('code', {}, part.slice(1, -1)) : part.replace(/(\*\*?)(\S[^*]*?)\1/g, '$2')));
  return (text ?? '').trim().split(/\n\s*\n/).filter(Boolean).map((block) => {
    const lines = block.split('\n');
    if (lines.every((l) => /^\s*[-*] /.test(l))) return el('ul', {}, ...lines.map((l) => el('li', {}, ...inline(l.replace(/^\s*[-*] /, '')))));
    return el('p', {}, ...inline(lines.map((l) => l.trim()).join(' ')));
  });
}
