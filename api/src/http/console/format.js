// Prettify: a parsed document's own tokens laid out afresh. Working on tokens rather than on the
// tree means nothing the author wrote, comments included, can go missing.

const WIDTH = 80;

/** The document laid out afresh: two-space indents, lists broken only when too long, comments kept. */
export function format(doc) {
  const { tokens } = doc;
  let out = '';
  let depth = 0;
  let previous = null;
  let trailing = false; // whether the last comment stands behind code on its line
  const newline = (blank) => { out = `${out.trimEnd()}${blank ? '\n\n' : '\n'}${'  '.repeat(depth)}`; };
  tokens.forEach((token, i) => {
    const lines = previous ? doc.text.slice(previous.end, token.start).split('\n').length - 1 : 0;
    const closes = token.mate && token.mate.start < token.start;
    if (closes && token.mate.broken) depth -= 1;
    if (previous) {
      const afterOpen = previous.broken;
      const next = token.kind === 'comment' ? tokens.slice(i).find((t) => t.kind !== 'comment') : token;
      if (token.kind === 'comment' && lines === 0) out += '  ';
      else if (previous.kind === 'comment') newline(lines > 1 || (trailing && token.item === doc));
      else if (next?.item === doc) newline(true);
      else if (token.kind === 'comment') newline(lines > 1 && !afterOpen);
      else if (token.item?.broken) newline(lines > 1 && !afterOpen);
      else if (closes && token.mate.broken) newline(false);
      else if (token.item && token.item !== previous) out += ', ';
      else if (spaced(previous, token)) out += ' ';
    }
    if (token.kind === 'comment') trailing = lines === 0 && Boolean(previous);
    out += token.text;
    if (token.mate && !closes) {
      token.broken = breaks(tokens, i, out.length - out.lastIndexOf('\n'));
      if (token.broken) depth += 1;
    }
    previous = token;
  });
  return `${out.trimEnd()}\n`;
}

/** Whether a bracket's contents go on lines of their own. */
function breaks(tokens, i, column) {
  const open = tokens[i];
  if (open.shape === 'set') return open.mate !== tokens[i + 1];
  let width = column;
  for (let k = i + 1; tokens[k] !== open.mate; k += 1) {
    if (tokens[k].kind === 'comment' || tokens[k].text.includes('\n')) return true;
    width += tokens[k].text.length + (tokens[k].item ? 2 : spaced(tokens[k - 1], tokens[k]) ? 1 : 0);
  }
  return width > WIDTH;
}

function spaced(a, b) {
  if (['(', '[', '$', '@'].includes(a.text) || [')', ']', ':', '!'].includes(b.text)) return false;
  if (b.text === '(') return a.role === 'keyword';
  if (a.text === '...') return b.role !== 'def';
  return !(a.text === '{' && b.text === '}');
}
