// One schedule: its next times, its last firings, and acts on it.
import { get, may, post, remove } from './api.js';
import { confirm } from './actions.js';
import { badge, facts, h, link, notice, path as withQuery, section, table } from './dom.js';
import { time } from './format.js';
import { rhythm, state } from './schedules.js';
import { go } from './shell.js';
import { headers, taskLink } from './task.js';
import { texts } from './texts.js';

const t = texts.schedules;

export const title = ({ variable }) => t.title(variable);

export async function show({ variable, signal, refresh }) {
  const path = `/v1/schedules/${encodeURIComponent(variable)}`;
  let detail;
  try {
    detail = await get(path, signal);
  } catch (error) {
    if (error.status === 404) return notice('info', h('p', {}, t.gone));
    throw error;
  }
  const { schedule } = detail;
  return [
    h('p', { class: 'line' }, state(schedule), ' ', h('code', {}, rhythm(schedule)), ' ', schedule.description),
    may('operate') && buttons(detail, path, refresh),
    section(t.nextTimes, times(detail.next_times)),
    section(t.firings, firings(detail.last_firings)),
    section(texts.task.arguments, detail.problem && notice('warn', h('p', {}, detail.problem)), given(detail)),
    section(texts.task.headers, headers(detail.headers)),
    section(
      texts.task.details,
      facts([
        [texts.tasks.taskname, schedule.taskname],
        [texts.tasks.application, link(`/ui/applications/${encodeURIComponent(schedule.application)}`, schedule.application)],
        [texts.tasks.namespace, schedule.namespace],
        [t.missed, detail.missed],
        [t.start, time(detail.start)],
        [t.end, time(detail.end)],
        [t.created, time(detail.created_at)],
        [t.updated, time(detail.updated_at)],
      ]),
    ),
  ].filter(Boolean);
}

export function times(next) {
  return next.length === 0
    ? h('p', {}, texts.none)
    : h('ul', {}, next.map((it) => h('li', {}, time(it))));
}

function firings(all) {
  if (all.length === 0) return h('p', {}, texts.none);
  return table(
    t.firings,
    [
      { head: t.slot, cell: (it) => time(it.slot) },
      { head: t.outcome, cell: (it) => badge('plain', it.outcome) },
      { head: texts.tasks.id, cell: (it) => it.task_id && taskLink(it.task_id) },
    ],
    all,
  );
}

function given(detail) {
  return detail.arguments === undefined
    ? h('p', {}, texts.task.noArguments)
    : h('pre', { tabindex: 0, 'aria-label': texts.task.arguments }, JSON.stringify(detail.arguments, null, 2));
}

function buttons(detail, path, refresh) {
  const { schedule } = detail;
  const act = (label, name, explanation, done) =>
    h(
      'button',
      {
        onclick: () =>
          confirm({
            title: label,
            explanation,
            preview: async () => ({ content: touches(detail) }),
            act: async (reason) => done(await post(`${path}/${name}`, { reason })),
            done: refresh,
          }),
      },
      label,
    );
  return h(
    'div',
    { class: 'buttons' },
    act(t.runNow, 'run', t.explain.run, (it) => t.enqueued(it.task_id)),
    schedule.paused
      ? act(t.resume, 'resume', t.explain.resume, () => texts.pauses.done)
      : act(t.pause, 'pause', t.explain.pause, () => texts.pauses.done),
    link(withQuery('/ui/schedule-editor', { name: schedule.name }), texts.scheduleEditor.change, { class: 'button' }),
    deletion(detail, path),
  );
}

function deletion(detail, path) {
  const e = texts.scheduleEditor;
  let deleted = false;
  return h(
    'button',
    {
      onclick: () =>
        confirm({
          title: e.delete,
          explanation: e.explainDelete,
          preview: async () => ({ content: touches(detail) }),
          act: async (reason) => {
            await remove(path, { reason });
            deleted = true;
            return e.deleted;
          },
          done: () => deleted && go('/ui/schedules'),
        }),
    },
    e.delete,
  );
}

function touches({ schedule, next_times: next }) {
  return h('div', {}, h('p', {}, t.touches(schedule.name, schedule.taskname)), times(next.slice(0, 3)));
}
