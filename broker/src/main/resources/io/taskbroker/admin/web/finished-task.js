// One finished task: what happened to it, and how it ended.
import { get } from './api.js';
import { facts, h, notice, section } from './dom.js';
import { bytes, count, duration, time } from './format.js';
import { outcomeBadge } from './finished.js';
import { step, timeline } from './task.js';
import { texts } from './texts.js';

const t = texts.finished;

export const title = ({ variable }) => `${texts.task.title} ${variable}`;

export async function show({ variable, signal }) {
  let detail;
  try {
    detail = await get(`/v1/finished/${encodeURIComponent(variable)}`, signal);
  } catch (error) {
    if (error.status === 404) return notice('info', h('p', {}, t.gone));
    throw error;
  }
  const { task, history } = detail;
  return [
    h('p', { class: 'line' }, h('strong', {}, task.taskname), ' ', task.application, ' ', outcomeBadge(task.outcome)),
    task.message && notice('bad', h('h2', {}, t.message), h('p', {}, task.message)),
    section(texts.task.timeline, history.length === 0 ? h('p', {}, t.noSteps) : timeline(history.map(step))),
    section(
      texts.task.details,
      facts([
        [texts.tasks.namespace, task.namespace],
        [t.received, time(task.received_at)],
        [t.ended, time(task.ended_at)],
        [t.took, duration((new Date(task.ended_at) - new Date(task.received_at)) / 1000)],
        [t.deliveries, count(task.deliveries)],
        [t.worker, task.worker],
        [t.firstId, task.first_id],
        [t.result, bytes(task.result_bytes)],
        [t.kept, time(task.kept_until)],
      ]),
    ),
  ];
}
