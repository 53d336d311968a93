// Talking to the server, and saying plainly what went wrong when it does not answer as it should.

/** Relative to the page, so that the console also works behind a proxy that adds a path. */
export const endpoint = new URL('graphql', document.baseURI).href;

/**
 * Send one operation. Resolves to { status, ms, bytes, text, body, trouble }: `body` is the parsed
 * answer if it was JSON, `trouble` is { title, detail } when something deserves explaining.
 * Rejects only when aborted.
 */
export async function ask(request, token, signal) {
  const started = performance.now();
  const headers = { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  let text;
  try {
    // No cookies: who is asking is exactly what the account selector shows.
    response = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(request), signal, credentials: 'omit', cache: 'no-store' });
    text = await response.text();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    if (/ISO-8859-1|header|ByteString/i.test(error.message) && token) {
      return { trouble: { title: 'That token cannot be sent', detail: 'It contains characters that are not allowed in a header. Paste it again, without quotation marks.' } };
    }
    return { trouble: { title: 'No answer from the server', detail: `${endpoint} could not be reached. Check that the server is running and that you are connected, then run again.` } };
  }
  const answer = {
    status: response.status, statusText: response.statusText, ms: performance.now() - started,
    bytes: new TextEncoder().encode(text).length, text, body: undefined,
  };
  try { answer.body = JSON.parse(text); } catch { /* told below */ }
  answer.trouble = explain(answer, response, token);
  return answer;
}

function explain({ status, body, text }, response, token) {
  const wait = response.headers.get('Retry-After');
  if (status === 401) {
    return token
      ? { title: 'The server did not accept this token', detail: 'It may be mistyped, expired or withdrawn. Choose another account, or paste a fresh token.' }
      : { title: 'This needs an account', detail: 'Choose an account at the top of the page, or paste a token, and run again.' };
  }
  if (status === 403) return { title: 'This account may not ask that', detail: 'Choose another account, or ask for less.' };
  if (status === 413) return { title: 'The request is too large', detail: 'Shorten the query or the variables.' };
  if (status === 429) return { title: 'Too many requests', detail: wait ? `The server asks to wait ${wait} seconds.` : 'Wait a little, then run again.' };
  if (body === undefined) {
    const type = response.headers.get('Content-Type')?.split(';')[0] || 'no content type';
    const who = status >= 500 ? 'It may be restarting, or a proxy in between answered for it.' : 'Something other than the GraphQL server may be at this address.';
    return {
      title: text ? 'The answer is not JSON' : 'The answer is empty',
      detail: `The server answered ${status} with ${text ? type : 'no text'}. ${who}`,
    };
  }
  if (status >= 500) return { title: 'The server failed', detail: `It answered ${status}. The errors below may say why; its log will.` };
  if (body === null || typeof body !== 'object' || (!('data' in body) && !Array.isArray(body.errors))) {
    return { title: 'This is not a GraphQL answer', detail: 'It is JSON, but has neither “data” nor “errors”.' };
  }
  return null;
}
