// Workers of each application, and their condition.
import { get } from './api.js';
import { badge, empty, h, link, table } from './dom.js';
import { count, relative } from './format.js';
import { applicationPath } from './overview.js';
import { texts } from './texts.js';

const t = texts.workers;

export async function show({ signal }) {
  const { delivery_mode: mode, applications } = await get('/v1/workers', signal);
  const intro = h('p', {}, t.mode(mode), ' ', mode === 'pull' && t.pull);
  if (applications.length === 0) return [intro, empty(t.empty, texts.overview.firstWorker)];
  return [
    intro,
    table(
      t.title,
      [
        { head: t.application, cell: (it) => link(applicationPath(it.application), it.application) },
        { head: t.state, cell: state },
        { head: t.running, number: true, cell: (it) => count(it.processing) },
        { head: t.calls, number: true, wide: true, cell: (it) => (it.calls === undefined ? '' : count(it.calls)) },
        { head: t.slots, number: true, wide: true, cell: (it) => (it.slots === undefined ? '' : count(it.slots)) },
        { head: t.at, wide: true, cell: (it) => it.worker && h('code', {}, it.worker) },
      ],
      applications,
    ),
  ];
}

function state(application) {
  if (application.paused_until) return badge('bad', t.pausedUntil(relative(application.paused_until)));
  return application.processing > 0
    ? badge('good', texts.states.ok)
    : badge('plain', texts.states.idle);
}
