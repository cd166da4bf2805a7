// Finished tasks: filter and search. The filter is the page's query.
import { get } from './api.js';
import { badge, empty, field, h, link, path, section, select, table } from './dom.js';
import { count, shortTime } from './format.js';
import { go } from './shell.js';
import { texts } from './texts.js';

const t = texts.finished;
const PAGE = 50;
const FILTERS = ['id', 'application', 'namespace', 'taskname', 'outcome', 'message', 'ended_from', 'ended_to'];

export async function show({ query, signal }) {
  const filter = Object.fromEntries(
    FILTERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]),
  );
  let page = { tasks: [], cursor: query.get('cursor') };
  do {
    page = await get(path('/v1/finished', { ...filter, limit: PAGE, cursor: page.cursor }), signal);
  } while (page.tasks.length === 0 && page.cursor);
  return [form(filter), results(page, filter)];
}

function form(filter) {
  const text = (name, label) =>
    field(label, h('input', { type: 'search', name, value: filter[name], autocomplete: 'off' }));
  return h(
    'form',
    {
      class: 'filter',
      role: 'search',
      'aria-label': texts.pages.finished,
      onsubmit: (event) => {
        event.preventDefault();
        go(path('/ui/finished', Object.fromEntries(new FormData(event.target))));
      },
    },
    text('id', texts.tasks.id),
    text('application', texts.tasks.application),
    text('namespace', texts.tasks.namespace),
    text('taskname', texts.tasks.taskname),
    field(
      t.outcome,
      select('outcome', filter.outcome ?? '', [['', texts.tasks.any], ...Object.entries(t.outcomes)]),
    ),
    text('message', t.message),
    h(
      'div',
      { class: 'buttons' },
      h('button', { class: 'primary' }, texts.tasks.search),
      link('/ui/finished', texts.tasks.clear, { class: 'button' }),
    ),
  );
}

export const outcomeBadge = (outcome) => badge(
    { completed: 'good', failed: 'bad', dead_lettered: 'bad', expired: 'warn' }[outcome] ?? 'plain',
    t.outcomes[outcome] ?? outcome,
  );

export const finishedPath = (id) => `/ui/finished/${encodeURIComponent(id)}`;

function results({ tasks, cursor }, filter) {
  if (tasks.length === 0) return empty(Object.keys(filter).length === 0 ? t.empty : texts.tasks.none);
  return section(
    texts.tasks.found(count(tasks.length), Boolean(cursor)),
    table(
      texts.pages.finished,
      [
        { head: texts.tasks.id, cell: (it) => link(finishedPath(it.id), it.id, { class: 'id' }) },
        { head: texts.tasks.taskname, cell: (it) => it.taskname },
        { head: texts.tasks.application, wide: true, cell: (it) => it.application },
        { head: t.outcome, cell: (it) => outcomeBadge(it.outcome) },
        { head: t.ended, cell: (it) => shortTime(it.ended_at) },
        { head: t.message, wide: true, cell: (it) => it.message ?? '' },
      ],
      tasks,
    ),
    cursor && link(path('/ui/finished', { ...filter, cursor }), texts.tasks.next, { class: 'button' }),
  );
}
