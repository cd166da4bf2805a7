// Schedules: when each enqueues its task next.
import { get, may } from './api.js';
import { badge, empty, h, link, path, table } from './dom.js';
import { duration, shortTime } from './format.js';
import { texts } from './texts.js';

const t = texts.schedules;
const PAGE = 100;

export async function show({ query, signal }) {
  const { schedules, cursor } = await get(
    path('/v1/schedules', { limit: PAGE, cursor: query.get('cursor') }),
    signal,
  );
  const create = may('operate') && h('p', {}, link('/ui/schedule-editor', texts.scheduleEditor.create, { class: 'button' }));
  if (schedules.length === 0 && !cursor) return [create, empty(t.empty, t.example)].filter(Boolean);
  return [
    create,
    table(
      texts.pages.schedules,
      [
        { head: t.name, cell: (it) => link(`/ui/schedules/${encodeURIComponent(it.name)}`, it.name) },
        { head: t.state, cell: state },
        { head: t.rhythm, cell: (it) => h('code', {}, rhythm(it)) },
        { head: t.next, cell: (it) => shortTime(it.next_slot) },
        { head: t.last, wide: true, cell: (it) => shortTime(it.last_slot) },
        { head: texts.tasks.taskname, cell: (it) => it.taskname },
        { head: texts.tasks.application, wide: true, cell: (it) => it.application },
      ],
      schedules,
    ),
    cursor && link(path('/ui/schedules', { cursor }), texts.tasks.next, { class: 'button' }),
  ].filter(Boolean);
}

export const state = (schedule) =>
  schedule.paused ? badge('warn', t.paused) : badge('good', t.runs);

export const rhythm = (it) =>
  it.cron ? [it.cron, it.time_zone].filter(Boolean).join(' ') : t.every(duration(it.every_seconds));
