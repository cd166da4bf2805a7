// Audit log: what operators did by this broker, newest first.
import { get } from './api.js';
import { badge, empty, h, link, path, table } from './dom.js';
import { time } from './format.js';
import { texts } from './texts.js';

const t = texts.audit;
const PAGE = 50;

export async function show({ query, signal }) {
  const { entries, cursor } = await get(path('/v1/audit', { limit: PAGE, cursor: query.get('cursor') }), signal);
  if (entries.length === 0 && !cursor) return empty(t.empty);
  const phases = { intended: 'plain', done: 'good', failed: 'bad' };
  return [
    table(
      t.title,
      [
        { head: t.when, cell: (it) => time(it.time) },
        { head: t.who, cell: (it) => [it.who, h('p', { class: 'small' }, `${it.role.toLowerCase()}, ${it.address}`)] },
        { head: t.act, cell: (it) => h('code', {}, it.act) },
        { head: t.phase, cell: (it) => badge(phases[it.phase], t.phases[it.phase]) },
        { head: t.reason, cell: (it) => it.reason },
        { head: t.more, wide: true, cell: more },
      ],
      entries,
    ),
    cursor && link(path('/ui/audit', { cursor }), t.next, { class: 'button' }),
  ];
}

function more(entry) {
  const { request, before, after } = entry;
  if (request === undefined && before === undefined && after === undefined) return null;
  return h(
    'details',
    {},
    h('summary', {}, t.show),
    h('pre', { tabindex: 0, 'aria-label': t.more }, JSON.stringify({ request, before, after }, null, 2)),
  );
}
