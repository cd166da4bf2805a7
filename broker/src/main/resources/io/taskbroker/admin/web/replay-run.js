// Runs of replays and discards: a dry run first, then the run with its progress.
import { get, post } from './api.js';
import { confirm } from './actions.js';
import { h } from './dom.js';
import { count } from './format.js';
import { texts } from './texts.js';

const t = texts.replay;
const POLL_MILLIS = 300;
const SAMPLE = 10;

// Begins a run and waits for its end.
export async function run(action, body, progress = () => {}) {
  let state = await post(`/v1/dead-letters/${action}`, body);
  while (state.state === 'running') {
    progress(state);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
    state = await get(`/v1/dead-letters/runs/${encodeURIComponent(state.id)}`);
  }
  if (state.state === 'failed') throw new Error(t.failed(state.problem));
  return state;
}

// What a run did, or would do.
export function report(state) {
  const { done, selected, by_topic: topics, skipped } = state.counts;
  return h(
    'div',
    {},
    h('p', {}, state.dry_run ? t.would(count(done), count(selected)) : outcome(state)),
    Object.keys(topics).length > 0 && [
      h('h3', {}, t.topics),
      h('ul', {}, Object.entries(topics).map(([topic, number]) => h('li', {}, `${topic}: ${count(number)}`))),
    ],
    skipped.length > 0 && [
      h('h3', {}, t.skipped),
      h('ul', {}, skipped.map((it) => h('li', {}, `${count(it.count)}: ${it.detail}`))),
    ],
  );
}

function outcome({ state, counts }) {
  return state === 'stopped' ? t.stopped(count(counts.done)) : t.finished(count(counts.done));
}

export async function sample(query) {
  const { letters } = await get(query);
  return h(
    'div',
    {},
    h('h3', {}, t.sample),
    h(
      'ul',
      { class: 'sample' },
      letters
        .slice(0, SAMPLE)
        .map((it) => h('li', {}, h('code', {}, it.position), ` ${it.taskname} ${it.reason}`)),
    ),
  );
}

// Confirms a run for a few dead letters, in a dialog.
export function confirmRun(action, body, done, extra) {
  return confirm({
    title: action === 'replay' ? t.title : t.discardTitle,
    preview: async () => {
      const dry = await run(action, { ...body, dry_run: true, reason: '' });
      return {
        nothing: dry.counts.done === 0,
        content: h('div', {}, report(dry), dry.counts.done === 0 && h('p', {}, t.nothing), extra),
      };
    },
    act: async (reason, progress) => {
      const end = await run(action, { ...body, reason }, ({ counts }) =>
        progress(counts.done, Math.max(1, counts.selected)),
      );
      return outcome(end);
    },
    done,
  });
}
