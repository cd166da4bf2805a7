// Dead letters: by error, and one by one. The filter is the page's query.
import { get, may } from './api.js';
import { badge, empty, field, h, link, notice, path, section, table } from './dom.js';
import { count, shortTime } from './format.js';
import { go } from './shell.js';
import { texts } from './texts.js';

const t = texts.deadLetters;
const PAGE = 50;
export const FILTERS = ['application', 'namespace', 'taskname', 'error', 'since', 'until', 'header', 'id'];

export async function show({ query, signal }) {
  const filter = Object.fromEntries(
    FILTERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]),
  );
  try {
    const [groups, letters] = await Promise.all([
      get(path('/v1/dead-letters/groups', filter), signal),
      get(path('/v1/dead-letters', { ...filter, limit: PAGE, cursor: query.get('cursor') }), signal),
    ]);
    return [form(filter), ...results(filter, groups, letters)];
  } catch (error) {
    if (error.status === 503) return [form(filter), notice('info', h('p', {}, t.off), h('p', {}, error.message))];
    throw error;
  }
}

function form(filter) {
  const text = (name, help) =>
    field(t[name === 'taskname' ? 'task' : name], h('input', { type: 'search', name, value: filter[name], autocomplete: 'off' }), help);
  return h(
    'form',
    {
      class: 'filter',
      role: 'search',
      'aria-label': t.title,
      onsubmit: (event) => {
        event.preventDefault();
        go(path('/ui/dead-letters', Object.fromEntries(new FormData(event.target))));
      },
    },
    text('application'),
    text('namespace'),
    text('taskname'),
    text('error', t.errorHelp),
    h(
      'div',
      { class: 'buttons' },
      h('button', { class: 'primary' }, t.search),
      link('/ui/dead-letters', texts.tasks.clear, { class: 'button' }),
    ),
  );
}

function results(filter, { groups, scanned, complete }, letters) {
  if (letters.letters.length === 0 && groups.length === 0) {
    return [empty(Object.keys(filter).length === 0 ? t.empty : t.none), runsLink()];
  }
  return [
    may('operate') &&
      h(
        'div',
        { class: 'buttons' },
        link(path('/ui/dead-letters/replay', filter), t.replay, { class: 'button' }),
        link(path('/ui/dead-letters/replay', { ...filter, action: 'discard' }), t.discard, { class: 'button' }),
      ),
    section(t.groups, !complete && h('p', { class: 'small' }, t.partly(count(scanned))), byError(groups)),
    section(
      t.letters,
      oneByOne(letters.letters),
      letters.cursor && link(path('/ui/dead-letters', { ...filter, cursor: letters.cursor }), t.next, { class: 'button' }),
    ),
    runsLink(),
  ].filter(Boolean);
}

const runsLink = () => h('p', {}, link('/ui/dead-letters/replay', t.runs));

export const letterPath = (position) => `/ui/dead-letters/${encodeURIComponent(position)}`;

function byError(groups) {
  return table(
    t.groups,
    [
      {
        head: t.error,
        cell: (it) => link(path('/ui/dead-letters', groupFilter(it)), it.error || t.noReason),
      },
      { head: t.task, cell: (it) => it.taskname || t.noTask },
      { head: t.open, number: true, cell: (it) => count(it.open) },
      { head: t.count, number: true, cell: (it) => count(it.count) },
      { head: t.last, wide: true, cell: (it) => shortTime(it.last) },
    ],
    groups,
  );
}

// The filter knows parts of a reason: the longest part without what differs from letter to letter.
function groupFilter(group) {
  const parts = group.error.split('#').sort((a, b) => b.length - a.length);
  return { namespace: group.namespace, taskname: group.taskname, error: parts[0].trim() };
}

export const stateBadge = (state) =>
  badge({ open: 'warn', replayed: 'good', discarded: 'plain' }[state], t.states[state]);

function oneByOne(letters) {
  return table(
    t.letters,
    [
      { head: t.position, cell: (it) => link(letterPath(it.position), it.position, { class: 'id' }) },
      { head: t.state, cell: (it) => stateBadge(it.state) },
      { head: t.task, cell: (it) => it.taskname || t.noTask },
      { head: t.application, wide: true, cell: (it) => it.application },
      { head: t.failedAt, cell: (it) => shortTime(it.failed_at) },
      { head: t.reason, wide: true, cell: (it) => it.reason || t.noReason },
    ],
    letters,
  );
}
