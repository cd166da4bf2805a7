// Calls of the admin API. Each answer is JSON; a problem becomes an error with what to do.

export class Problem extends Error {
  constructor(status, title, detail) {
    super(detail);
    this.status = status;
    this.title = title;
  }
}

let session = { signed_in: false, tokens: true, read_only: false };
let onSignedOut = () => {};

export const whoAmI = () => session;

export function whenSignedOut(listener) {
  onSignedOut = listener;
}

// Whether the user may act: what the page offers. The API decides by itself.
export function may(role) {
  const order = ['read', 'operate', 'admin'];
  return !session.read_only && order.indexOf(session.role) >= order.indexOf(role);
}

async function call(method, path, body, signal) {
  const headers = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (session.cross_site_token) headers['X-Taskbroker-Session'] = session.cross_site_token;
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, 'No answer', 'The broker does not answer. Is it running?');
  }
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  if (answer.status === 401 && session.signed_in) onSignedOut();
  throw new Problem(answer.status, content.title ?? 'Failed', content.detail ?? `Status ${answer.status}`);
}

export const get = (path, signal) => call('GET', path, undefined, signal);
export const post = (path, body) => call('POST', path, body);
export const put = (path, body) => call('PUT', path, body);
export const remove = (path, body) => call('DELETE', path, body);

export async function loadSession() {
  session = await get('/ui/session');
  return session;
}

export async function signIn(token) {
  await post('/ui/session', { token });
  return loadSession();
}

export async function signOut() {
  await remove('/ui/session');
  return loadSession();
}

// Which operations this broker has, so that the page offers no more: from its OpenAPI document.
let operations;
export async function has(method, path) {
  operations ??= get('/openapi.json');
  const document = await operations;
  return document.paths[path]?.[method] !== undefined;
}
