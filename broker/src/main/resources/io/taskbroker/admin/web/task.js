// One task: why it does not run, what happened, what it carries, and acts on it.
import { get, may } from './api.js';
import { actOn } from './actions.js';
import { badge, facts, h, link, notice, path, section, table } from './dom.js';
import { bytes, count, time } from './format.js';
import { texts } from './texts.js';
import { waitingOf } from './tasks.js';

const t = texts.task;

export const title = ({ variable }) => `${t.title} ${variable}`;

export async function show({ variable, signal, refresh }) {
  let detail;
  try {
    detail = await get(`/v1/tasks/${encodeURIComponent(variable)}`, signal);
  } catch (error) {
    if (error.status === 404) return notice('info', h('p', {}, t.gone));
    throw error;
  }
  const { task } = detail;
  return [
    h(
      'p',
      { class: 'line' },
      h('strong', {}, task.taskname),
      ' ',
      link(`/ui/applications/${encodeURIComponent(task.application)}`, task.application),
      ' ',
      waitingOf(task),
    ),
    why(task),
    buttons(task, refresh),
    section(t.timeline, timeline(events(detail))),
    section(t.arguments, values(detail)),
    section(t.headers, headers(detail.headers)),
    section(t.details, details(task)),
  ];
}

function why({ waiting }) {
  if (!waiting) return null;
  return notice(
    waiting.reason === 'WITH_WORKER' ? 'good' : 'info',
    h('h2', {}, waiting.reason === 'WITH_WORKER' ? t.running : t.why),
    h('p', {}, h('strong', {}, waiting.detail), waiting.until && [' ', t.until, ' ', time(waiting.until)]),
    h('p', {}, waiting.advice),
  );
}

// What each state lets an operator do: docs/admin.md.
function possible(task) {
  const reason = task.waiting?.reason;
  if (reason === 'DELAYED' || (task.parked && reason === 'PARKED')) return ['run_now', 'priority', 'cancel', 'discard'];
  if (reason === 'WITH_WORKER') return ['retry', 'priority', 'discard'];
  if (reason === 'QUARANTINED') return ['retry', 'discard'];
  return reason === 'FORWARDING' || reason === 'ENDED' ? [] : ['priority', 'cancel', 'discard'];
}

function buttons(task, refresh) {
  return h(
    'div',
    { class: 'buttons' },
    may('operate') &&
      possible(task).map((act) =>
        h('button', { onclick: () => actOn(act, { ids: [task.id] }, refresh, String(task.priority)) }, texts.acts[act]),
      ),
    h('button', { onclick: refresh }, t.refresh),
  );
}

// Step of a task's history as an event of the timeline.
export const step = ({ step: name, at, detail }) => [
  at,
  texts.finished.steps[name] ?? name,
  detail,
];

// What happened, what is now, and what is still to come, in the order of time.
function events({ task, attempt, max_attempts: most, history }) {
  const now = new Date().toISOString();
  return [
    [task.received_at, t.published, t.received(task.topic, task.partition, task.offset)],
    ...history.map(step),
    [task.delay_until, t.delayed],
    [now, t.now, [t.attempt(attempt, most), task.attempts > 0 && `, ${t.passed(task.attempts)}`, '. ', task.state]],
    [task.deadline, t.deadline],
    [task.expires_at, t.expires],
  ]
    .filter(([when]) => when)
    .sort(([a], [b]) => new Date(a) - new Date(b));
}

export function timeline(all) {
  const now = Date.now();
  const kind = (when, what) => (what === t.now ? 'now' : new Date(when) > now ? 'later' : null);
  return h(
    'ol',
    { class: 'timeline' },
    all.map(([when, what, more]) =>
      h(
        'li',
        { class: kind(when, what) },
        h('strong', {}, what),
        ' ',
        what === t.now ? null : time(when),
        more && h('p', {}, more),
      ),
    ),
  );
}

function values(detail) {
  return [
    detail.problem && notice('warn', h('p', {}, detail.problem)),
    detail.arguments === undefined
      ? h('p', {}, t.noArguments)
      : h('pre', { tabindex: 0, 'aria-label': t.arguments }, JSON.stringify(detail.arguments, null, 2)),
  ];
}

export function headers(all, label = t.headers) {
  const entries = Object.entries(all ?? {});
  if (entries.length === 0) return h('p', {}, t.noHeaders);
  return table(
    label,
    [
      { head: t.name, cell: ([name]) => h('code', {}, name) },
      { head: t.value, cell: ([, value]) => h('code', {}, value) },
    ],
    entries,
  );
}

function details(task) {
  return facts([
    [texts.tasks.namespace, link(path('/ui/tasks', { namespace: task.namespace }), task.namespace)],
    [texts.tasks.status, task.status],
    [t.state, task.state],
    [texts.tasks.attempts, count(task.attempts)],
    [texts.tasks.priority, texts.priority(task.priority)],
    [t.atMostOnce, task.at_most_once ? badge('warn', texts.yes) : texts.no],
    [t.parked, task.parked ? texts.yes : texts.no],
    [t.forwardTo, task.forward_to],
    [t.size, bytes(task.payload_bytes)],
  ]);
}

export const taskLink = (id) => link(`/ui/tasks/${encodeURIComponent(id)}`, id, { class: 'id' });
