// Overview: what flows, what waits, and what needs attention.
import { badge, busy, empty, h, link, morph, notice, path, section, sparkline, table } from './dom.js';
import { count, duration, latency, rate } from './format.js';
import { follow, rates, trend } from './live.js';
import { texts } from './texts.js';

const t = texts.overview;

// A task that waits for longer than this, while its application runs nothing, makes it stuck.
const STUCK_SECONDS = 10;
const OLD_SECONDS = 300;
const MUCH_LAG = 10_000;

export function show({ signal }) {
  const content = h('div', {}, busy(texts.loading));
  follow((state) => {
    if (state.overview) morph(content, h('div', {}, ...draw(state.overview)));
  }, signal);
  return content;
}

function draw(overview) {
  const { broker } = overview;
  return [
    h(
      'p',
      { class: 'line' },
      badge(broker.ready ? 'good' : 'bad', broker.ready ? t.ready : t.notReady),
      ' ',
      t.broker(broker.name, broker.version),
      broker.draining && [' ', badge('warn', t.draining)],
    ),
    broker.troubles.length > 0 &&
      notice('warn', h('p', {}, t.troubles), h('ul', {}, broker.troubles.map((it) => h('li', {}, it)))),
    tiles(overview),
    section(t.attention, attention(overview)),
    section(t.latency, latencies(overview.latency)),
    section(t.applications, applications(overview)),
    section(t.failures, failures(overview)),
  ].filter(Boolean);
}

function tile(name, value, note, values) {
  return h(
    'div',
    { class: 'tile' },
    h('p', { class: 'name' }, name),
    h('p', { class: 'value' }, value),
    note && h('p', { class: 'small' }, note),
    values && values.length > 1 && sparkline(values, t.trend(name, value)),
  );
}

function tiles({ tasks, rate: perSecond, oldest_waiting_seconds: oldest, store }) {
  const over = t.over(Math.round(perSecond.over_seconds));
  const quarantined = Object.values(tasks.quarantined).reduce((sum, each) => sum + each, 0);
  return h(
    'div',
    { class: 'tiles' },
    tile(t.completed, rate(perSecond.completed), over, rates('completed')),
    tile(t.failed, rate(perSecond.failed), over, rates('failed')),
    tile(t.retried, rate(perSecond.retried), over, rates('retried')),
    tile(t.deadLettered, rate(perSecond.dead_lettered), over, rates('dead_lettered')),
    tile(t.waiting, count(tasks.pending), t.delayed + ' ' + count(tasks.delayed), trend('waiting')),
    tile(t.running, count(tasks.claimed + tasks.processing), null, trend('running')),
    tile(t.oldest, duration(oldest), null, trend('oldest_seconds')),
    tile(t.parked, count(tasks.parked), `${t.forwarding} ${count(tasks.forwarding)}`),
    tile(t.quarantined, count(quarantined)),
    tile(t.store, store.kind, t.outstanding(count(store.outstanding))),
  );
}

function latencies({ waiting, running, over_seconds: over }) {
  return [
    h('p', { class: 'small' }, t.latencyHelp(Math.round(over))),
    table(
      t.latency,
      [
        { head: t.time, cell: (it) => it.name },
        { head: t.p50, number: true, cell: (it) => latency(it.p50_seconds) },
        { head: t.p95, number: true, cell: (it) => latency(it.p95_seconds) },
        { head: t.p99, number: true, cell: (it) => latency(it.p99_seconds) },
        { head: t.tasks, number: true, wide: true, cell: (it) => count(it.tasks) },
        { head: t.p99Trend, wide: true, cell: (it) => sparkline(it.trend, t.trend(`${it.name}, ${t.p99}`, latency(it.p99_seconds))) },
      ],
      [
        { name: t.waited, trend: trend('waited_seconds'), ...waiting },
        { name: t.ran, trend: trend('ran_seconds'), ...running },
      ],
    ),
  ];
}

export function isPaused(pauses, application) {
  return pauses.some(
    (pause) => pause.application === application && !pause.namespace && !pause.taskname,
  );
}

// State of an application: kind of badge, text, and why it needs attention, if it does.
export function stateOf(application, { broker, pauses }) {
  const states = texts.states;
  const waits = application.pending > 0;
  const oldest = application.oldest_waiting_seconds ?? 0;
  if (isPaused(pauses, application.application)) {
    return { kind: 'warn', text: states.paused, why: texts.attention.paused };
  }
  if (broker.delivery_mode === 'push' && !application.worker && (waits || application.parked)) {
    return { kind: 'bad', text: states.noWorker, why: texts.attention.noWorker };
  }
  if (application.paused_until && waits) {
    return { kind: 'bad', text: states.workersDown, why: texts.attention.workersDown };
  }
  if (waits && application.processing === 0 && oldest > STUCK_SECONDS) {
    return { kind: 'bad', text: states.stuck, why: texts.attention.stuck };
  }
  if (waits && oldest > OLD_SECONDS) {
    return { kind: 'warn', text: states.slow, why: texts.attention.oldest(duration(oldest)) };
  }
  const idle = !waits && application.processing === 0;
  if (idle && application.parked) return { kind: 'plain', text: states.parked, why: null };
  return { kind: idle ? 'plain' : 'good', text: idle ? states.idle : states.ok, why: null };
}

export const applicationPath = (name) => `/ui/applications/${encodeURIComponent(name)}`;

function attention(overview) {
  const lines = [];
  if (!overview.broker.ready) lines.push([badge('bad', t.notReady), ' ', texts.attention.notReady]);
  for (const application of overview.applications) {
    const state = stateOf(application, overview);
    if (state.why) {
      lines.push([
        badge(state.kind, state.text),
        ' ',
        link(applicationPath(application.application), application.application),
        `: ${state.why}`,
      ]);
    }
  }
  for (const [topic, number] of Object.entries(overview.tasks.quarantined)) {
    lines.push([
      badge('bad', t.quarantined),
      ' ',
      link(path('/ui/tasks', { waiting: 'QUARANTINED' }), texts.attention.quarantined(count(number), topic)),
    ]);
  }
  for (const { topic, partition, lag } of overview.partitions) {
    if (lag > MUCH_LAG) {
      lines.push([
        badge('warn', texts.states.slow),
        ' ',
        link('/ui/brokers', texts.attention.lag(`${topic}:${partition}`, count(lag))),
      ]);
    }
  }
  return lines.length === 0
    ? h('p', {}, t.nothingWrong)
    : h('ul', { class: 'attention' }, lines.map((line) => h('li', {}, line)));
}

function applications(overview) {
  if (overview.applications.length === 0) return empty(t.empty, t.firstTask, t.firstWorker);
  return table(
    t.applications,
    [
      { head: t.application, cell: (it) => link(applicationPath(it.application), it.application) },
      {
        head: t.state,
        cell: (it) => {
          const state = stateOf(it, overview);
          return badge(state.kind, state.text);
        },
      },
      { head: t.waiting, number: true, cell: (it) => count(it.pending) },
      { head: t.running, number: true, cell: (it) => count(it.processing) },
      { head: t.delayed, number: true, wide: true, cell: (it) => count(it.delayed) },
      { head: t.oldest, number: true, cell: (it) => duration(it.oldest_waiting_seconds) },
    ],
    overview.applications,
  );
}

function failures(overview) {
  const failing = overview.tasknames
    .filter(({ rate: it }) => it.failed > 0 || it.retried > 0 || it.dead_lettered > 0)
    .sort((a, b) => b.rate.failed + b.rate.retried - (a.rate.failed + a.rate.retried));
  if (failing.length === 0) return h('p', {}, t.noFailures);
  return table(
    t.failures,
    [
      {
        head: t.task,
        cell: (it) =>
          link(path('/ui/tasks', { application: it.application, taskname: it.taskname }), it.taskname || texts.none),
      },
      { head: t.application, wide: true, cell: (it) => it.application },
      { head: t.failed, number: true, cell: (it) => rate(it.rate.failed) },
      { head: t.retried, number: true, cell: (it) => rate(it.rate.retried) },
      { head: t.deadLettered, number: true, wide: true, cell: (it) => rate(it.rate.dead_lettered) },
      { head: t.completed, number: true, cell: (it) => rate(it.rate.completed) },
    ],
    failing,
  );
}
