// One application: why its tasks wait, most frequent reason first, and what to do about it.
import { get, may } from './api.js';
import { pause } from './actions.js';
import { badge, facts, h, link, notice, path, section, table } from './dom.js';
import { bytes, count, duration, rate, shortTime } from './format.js';
import { isPaused, stateOf } from './overview.js';
import { waitingOf } from './tasks.js';
import { texts } from './texts.js';

const t = texts.application;
const LOOKED_AT = 500;

export const title = ({ variable }) => t.title(variable);

export async function show({ variable, signal, refresh }) {
  const [overview, found, backlog] = await Promise.all([
    get('/v1/overview', signal),
    get(path('/v1/tasks', { application: variable, limit: LOOKED_AT }), signal),
    get('/v1/backlog?by=namespace', signal).catch(unlessLeft),
  ]);
  const own = overview.applications.find((it) => it.application === variable);
  if (!own && found.tasks.length === 0) return notice('info', h('p', {}, t.unknown));
  const state = own && stateOf(own, overview);
  return [
    state && h('p', { class: 'line' }, badge(state.kind, state.text), state.why && ` ${state.why}`),
    own && buttons(own, overview, refresh),
    section(t.why, reasons(found.tasks, variable)),
    own && figures(own),
    section(t.tasknames, names(overview, variable)),
    section(t.namespaces, namespaces(backlog, variable)),
    h('p', {}, link(path('/ui/tasks', { application: variable }), t.all)),
  ];
}

function buttons(own, overview, refresh) {
  if (!may('operate')) return null;
  const paused = isPaused(overview.pauses, own.application);
  return h(
    'div',
    { class: 'buttons' },
    h(
      'button',
      { onclick: () => pause({ application: own.application }, paused, own.pending, refresh) },
      paused ? t.resume : t.pause,
    ),
  );
}

// Groups of equal reasons, of tasks that no worker has; most frequent first.
function reasons(tasks, application) {
  const groups = new Map();
  for (const task of tasks) {
    const reason = task.waiting?.reason;
    if (reason && reason !== 'WITH_WORKER' && reason !== 'ENDED') {
      const group = groups.get(reason) ?? { reason, task, count: 0 };
      group.count += 1;
      groups.set(reason, group);
    }
  }
  if (groups.size === 0) return h('p', {}, t.nothing);
  return [
    h('p', { class: 'small' }, t.whyHelp(count(tasks.length))),
    table(
      t.why,
      [
        { head: t.reason, cell: (it) => [waitingOf(it.task), h('p', { class: 'small' }, it.task.waiting.detail)] },
        {
          head: t.tasks,
          number: true,
          cell: (it) =>
            link(path('/ui/tasks', { application, waiting: it.reason }), count(it.count), { 'aria-label': `${t.show}: ${it.count}` }),
        },
        { head: t.advice, cell: (it) => it.task.waiting.advice },
      ],
      [...groups.values()].sort((a, b) => b.count - a.count),
    ),
  ];
}

function figures(own) {
  return facts([
    [texts.overview.waiting, count(own.pending)],
    [texts.overview.running, count(own.processing)],
    [texts.overview.delayed, count(own.delayed)],
    [t.oldest, duration(own.oldest_waiting_seconds)],
    [t.worker, own.worker],
    [t.calls, own.calls === undefined ? '' : count(own.calls)],
    [t.slots, own.slots === undefined ? '' : count(own.slots)],
    [t.pausedUntil, own.paused_until && shortTime(own.paused_until)],
    [t.memory, bytes(own.memory_bytes)],
  ]);
}

function names(overview, application) {
  const rows = overview.tasknames.filter((it) => it.application === application);
  if (rows.length === 0) return h('p', {}, texts.none);
  return table(
    t.tasknames,
    [
      {
        head: texts.overview.task,
        cell: (it) => link(path('/ui/tasks', { application, taskname: it.taskname }), it.taskname || texts.none),
      },
      { head: texts.overview.waiting, number: true, cell: (it) => count(it.pending) },
      { head: texts.overview.running, number: true, cell: (it) => count(it.claimed + it.processing) },
      { head: texts.overview.completed, number: true, wide: true, cell: (it) => rate(it.rate.completed) },
      { head: texts.overview.failed, number: true, cell: (it) => rate(it.rate.failed) },
    ],
    rows,
  );
}

// No answer, unless the user has left.
function unlessLeft(error) {
  if (error.name === 'AbortError') throw error;
  return null;
}

function namespaces(backlog, application) {
  if (!backlog) return h('p', {}, t.notCounted);
  const rows = backlog.groups.filter((it) => it.application === application);
  if (rows.length === 0) return h('p', {}, texts.none);
  return [
    !backlog.complete && h('p', { class: 'small' }, t.countedInPart),
    table(
      t.namespaces,
      [
        {
          head: t.namespace,
          cell: (it) => link(path('/ui/tasks', { application, namespace: it.namespace }), it.namespace || texts.none),
        },
        { head: t.tasks, number: true, cell: (it) => count(it.tasks) },
        { head: texts.overview.running, number: true, wide: true, cell: (it) => count(it.processing) },
        { head: texts.overview.oldest, number: true, cell: (it) => duration(it.oldest_seconds) },
        { head: texts.overview.failed, number: true, wide: true, cell: (it) => rate(it.rate.failed) },
      ],
      rows,
    ),
  ];
}
