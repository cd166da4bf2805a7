// Tasks in flight: filter, search, and acts on all that match. The filter is the page's query, so
// that its address can be shared.
import { get, may } from './api.js';
import { actOn, PRIORITIES } from './actions.js';
import { badge, empty, field, h, link, path, section, select, table } from './dom.js';
import { count, shortTime } from './format.js';
import { go } from './shell.js';
import { texts } from './texts.js';

const t = texts.tasks;
const PAGE = 50;
const FILTERS = [
  'id',
  'application',
  'namespace',
  'taskname',
  'status',
  'waiting',
  'older_than_seconds',
  'priority',
  'header',
];

export async function show({ query, signal, refresh }) {
  const filter = Object.fromEntries(
    FILTERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]),
  );
  const cursor = query.get('cursor');
  const found = await search(filter, cursor, signal);
  return [form(filter), acts(filter, refresh), results(found, filter)];
}

// A page may be short, since a search ends by its time: goes on until there is something to show.
async function search(filter, cursor, signal) {
  let page = { tasks: [], cursor };
  do {
    const parameters = { ...filter, limit: PAGE, cursor: page.cursor };
    page = await get(path('/v1/tasks', parameters), signal);
  } while (page.tasks.length === 0 && page.cursor);
  return page;
}

function form(filter) {
  const text = (name, label, help) =>
    field(label, h('input', { type: 'search', name, value: filter[name], autocomplete: 'off' }), help);
  const any = ['', t.any];
  return h(
    'form',
    {
      class: 'filter',
      role: 'search',
      'aria-label': t.title,
      onsubmit: (event) => {
        event.preventDefault();
        go(path('/ui/tasks', Object.fromEntries(new FormData(event.target))));
      },
    },
    text('id', t.id),
    text('application', t.application),
    text('namespace', t.namespace),
    text('taskname', t.taskname),
    field(
      t.status,
      select('status', filter.status ?? '', [any, ...texts.statuses.map((name) => [name, name])]),
    ),
    field(
      t.waiting,
      select('waiting', filter.waiting ?? '', [any, ...Object.entries(texts.waiting)]),
    ),
    field(
      t.older,
      select('older_than_seconds', filter.older_than_seconds ?? '', [any, ...Object.entries(t.ages)]),
    ),
    field(
      t.priority,
      select('priority', filter.priority ?? '', [any, ...PRIORITIES.map((it) => [it, texts.priority(it)])]),
    ),
    text('header', t.header, t.headerHelp),
    h(
      'div',
      { class: 'buttons' },
      h('button', { class: 'primary' }, t.search),
      link('/ui/tasks', t.clear, { class: 'button' }),
    ),
  );
}

function acts(filter, refresh) {
  if (!may('operate')) return null;
  const { id, ...rest } = filter;
  if (Object.keys(rest).length === 0 || id) return h('p', { class: 'small' }, t.actNeedsFilter);
  const body = { ...rest };
  for (const name of ['older_than_seconds', 'priority']) {
    if (body[name]) body[name] = Number(body[name]);
  }
  return h(
    'div',
    { class: 'buttons', role: 'group', 'aria-label': t.act },
    h('span', {}, `${t.act}: `),
    ['run_now', 'retry', 'priority', 'cancel', 'discard'].map((act) =>
      h('button', { onclick: () => actOn(act, { filter: body }, refresh, filter.priority) }, texts.acts[act]),
    ),
  );
}

export const taskPath = (id) => `/ui/tasks/${encodeURIComponent(id)}`;

export function waitingOf(task) {
  if (!task.waiting) return t.elsewhere;
  const { reason } = task.waiting;
  const kinds = { WITH_WORKER: 'good', PAUSED: 'warn', NO_WORKER: 'bad', WORKER_PAUSED: 'bad', QUARANTINED: 'bad' };
  return badge(kinds[reason] ?? 'plain', texts.waiting[reason] ?? reason);
}

function results(found, filter) {
  if (found.tasks.length === 0) {
    return Object.keys(filter).length === 0
      ? empty(t.emptyAll, texts.overview.firstTask, texts.overview.firstWorker)
      : empty(t.none);
  }
  return section(
    t.found(count(found.tasks.length), Boolean(found.cursor)),
    table(
      t.title,
      [
        { head: t.id, cell: (it) => link(taskPath(it.id), it.id, { class: 'id' }) },
        { head: t.taskname, cell: (it) => it.taskname },
        {
          head: t.application,
          wide: true,
          cell: (it) => link(path('/ui/tasks', { ...filter, application: it.application }), it.application),
        },
        { head: t.namespace, wide: true, cell: (it) => it.namespace },
        { head: t.waiting, cell: waitingOf },
        { head: t.age, cell: (it) => shortTime(it.received_at) },
        { head: t.attempts, number: true, wide: true, cell: (it) => count(it.attempts) },
      ],
      found.tasks,
    ),
    found.cursor &&
      link(path('/ui/tasks', { ...filter, cursor: found.cursor }), t.next, { class: 'button' }),
  );
}
