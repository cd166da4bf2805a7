// Live figures by server-sent events. Listeners receive the overview and the trend; without a
// connection the page says so, and the browser connects again.
import { get } from './api.js';

const POINTS = 360;
const POLL_MILLIS = 5000;

const listeners = new Set();
const state = { overview: null, trend: [], connected: false };
let source = null;
let poll = null;

export const live = () => state;

// Calls the listener with the state now and at each change, until the signal aborts.
export function follow(listener, signal) {
  listeners.add(listener);
  signal.addEventListener('abort', () => listeners.delete(listener));
  if (state.overview) listener(state);
}

function tell() {
  for (const listener of [...listeners]) listener(state);
}

export function connect() {
  if (source) return;
  source = new EventSource('/ui/events');
  source.addEventListener('overview', (event) => {
    state.overview = JSON.parse(event.data);
    connected(true);
    tell();
  });
  source.addEventListener('trend', (event) => {
    const last = state.trend.at(-1)?.at ?? 0;
    const fresh = JSON.parse(event.data).filter((point) => point.at > last);
    state.trend = [...state.trend, ...fresh].slice(-POINTS);
    tell();
  });
  // A stream ends every half minute and is opened again; only a refusal closes it for good.
  source.addEventListener('error', () => {
    if (source?.readyState === EventSource.CLOSED) {
      connected(false);
      disconnect();
      poll = setTimeout(fallBack, POLL_MILLIS);
    }
  });
}

// Without a stream, asks now and then, and tries to open one.
async function fallBack() {
  try {
    state.overview = await get('/v1/overview');
    tell();
    connect();
  } catch {
    poll = setTimeout(fallBack, POLL_MILLIS);
  }
}

export function disconnect() {
  clearTimeout(poll);
  source?.close();
  source = null;
}

function connected(now) {
  if (state.connected !== now) {
    state.connected = now;
    tell();
  }
}

// Rate of a counter of the trend between its points, per second.
export function rates(counter) {
  return state.trend.slice(1).map((point, index) => {
    const before = state.trend[index];
    const seconds = Math.max(1, (point.at - before.at) / 1000);
    return Math.max(0, point[counter] - before[counter]) / seconds;
  });
}

// Values of a figure of the trend.
export const trend = (figure) => state.trend.map((point) => point[figure]);
