// Subscriptions: the protocol graphql-transport-ws, as far as one operation at a time needs it.

import { endpoint } from './client.js';

const REASONS = {
  1001: 'The server is shutting down. Run again when it is back.',
  1013: 'The server has no room or no database for the moment. Try again later.',
  4403: 'The token or session is not valid, or not any more. Choose an account, or paste a fresh token.',
};

/**
 * Subscribe, and hand each event to `told` as an answer like those of `ask`. Resolves when the subscription ends: to
 * nothing if the server has said its last word, to an answer with `trouble` otherwise. Rejects only when aborted.
 */
export function listen(request, token, signal, told) {
  const started = performance.now();
  const answer = (body) => {
    const text = JSON.stringify(body);
    return { status: 200, statusText: 'event', ms: performance.now() - started, bytes: new TextEncoder().encode(text).length, text, body, trouble: null };
  };
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(endpoint.replace(/^http/, 'ws'), 'graphql-transport-ws');
    let over = false;
    const end = (last) => { over = true; socket.close(1000); resolve(last); };
    const say = (message) => socket.send(JSON.stringify(message));
    signal.addEventListener('abort', () => { over = true; socket.close(1000); reject(signal.reason); });
    socket.onopen = () => say({ type: 'connection_init', payload: token ? { Authorization: `Bearer ${token}` } : {} });
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === 'connection_ack') say({ type: 'subscribe', id: '1', payload: request });
      else if (message.type === 'ping') say({ type: 'pong' });
      else if (message.type === 'next') told(answer(message.payload));
      else if (message.type === 'error') { told(answer({ errors: message.payload })); end(); }
      else if (message.type === 'complete') end();
    };
    socket.onclose = ({ code, reason }) => {
      if (over) return;
      over = true;
      const why = REASONS[code] ?? (reason || 'It gave no reason; it may not be reachable, or a proxy in between may not let WebSockets through.');
      resolve({ trouble: { title: `The connection was closed (${code})`, detail: why } });
    };
  });
}
