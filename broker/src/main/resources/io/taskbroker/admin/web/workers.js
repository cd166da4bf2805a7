// Workers of each application and their condition, and each worker as far as the broker knows it;
// looked at anew while the page is open.
import { get } from './api.js';
import { badge, empty, h, link, morph, section, table } from './dom.js';
import { count, relative, shortTime } from './format.js';
import { applicationPath } from './overview.js';
import { taskLink } from './task.js';
import { texts } from './texts.js';

const t = texts.workers;
const LOOK_MILLIS = 2000;

// A worker with tasks says something at least every 3 s.
const SILENT_MILLIS = 5000;

export async function show({ signal }) {
  const content = h('div', {}, ...draw(await get('/v1/workers', signal)));
  lookAgain(content, signal);
  return content;
}

function lookAgain(content, signal) {
  setTimeout(async () => {
    if (signal.aborted) return;
    try {
      if (!document.hidden) morph(content, h('div', {}, ...draw(await get('/v1/workers', signal))));
    } catch (error) {
      if (error.name === 'AbortError') return;
    }
    lookAgain(content, signal);
  }, LOOK_MILLIS);
}

function draw({ delivery_mode: mode, applications, streams, addresses, pulls }) {
  const nobody = streams.length + addresses.length + pulls.length === 0;
  return [
    h('p', {}, t.mode(mode)),
    nobody && empty(t.empty, texts.overview.firstWorker),
    streams.length > 0 && section(t.streams, h('p', { class: 'small' }, t.streamsHelp), streamTable(streams)),
    addresses.length > 0 && section(t.addresses, h('p', { class: 'small' }, t.addressesHelp), addressTable(addresses, applications)),
    pulls.length > 0 && section(t.pulls, h('p', { class: 'small' }, t.pullsHelp), pullTable(pulls)),
    applications.length > 0 && section(texts.overview.applications, applicationTable(applications)),
  ].filter(Boolean);
}

const application = { head: t.application, cell: (it) => it.application && link(applicationPath(it.application), it.application) };

function streamTable(streams) {
  return table(
    t.streams,
    [
      { head: t.worker, cell: (it) => it.name || it.address },
      application,
      { head: t.inUse, number: true, cell: (it) => t.of(count(it.in_use), count(it.slots)) },
      { head: t.heard, cell: heard },
      { head: t.since, wide: true, cell: (it) => shortTime(it.opened_at) },
      { head: t.version, wide: true, cell: (it) => it.version },
      { head: t.namespaces, wide: true, cell: (it) => it.namespaces.join(', ') || t.all },
      { head: t.has, wide: true, cell: (it) => it.tasks.map((id) => [taskLink(id), ' ']) },
      { head: t.address, wide: true, cell: (it) => h('code', {}, it.address) },
    ],
    streams,
  );
}

function heard(worker) {
  const silent = worker.in_use > 0 && Date.now() - new Date(worker.last_heard_at) > SILENT_MILLIS;
  return [shortTime(worker.last_heard_at), silent && [' ', badge('bad', t.silent)]];
}

function addressTable(addresses, applications) {
  const windows = new Map(applications.map((it) => [it.application, it.slots]));
  return table(
    t.addresses,
    [
      { head: t.address, cell: (it) => h('code', {}, it.address) },
      application,
      { head: t.state, cell: reach },
      { head: t.calls, number: true, cell: (it) => count(it.calls) },
      { head: t.window, number: true, wide: true, cell: (it) => count(windows.get(it.application)) },
      { head: t.connections, number: true, wide: true, cell: (it) => count(it.connections) },
    ],
    addresses,
  );
}

function reach(it) {
  if (it.unreachable) return badge('bad', t.unreachable);
  return it.connections > 0 ? badge('good', t.connected) : badge('plain', texts.states.idle);
}

function pullTable(pulls) {
  return table(
    t.pulls,
    [
      { head: t.address, cell: (it) => h('code', {}, it.address) },
      { ...application, cell: (it) => (it.application ? application.cell(it) : t.all) },
      { head: t.asked, cell: (it) => shortTime(it.last_asked_at) },
      { head: t.reported, wide: true, cell: (it) => shortTime(it.last_reported_at) },
      { head: t.since, wide: true, cell: (it) => shortTime(it.opened_at) },
    ],
    pulls,
  );
}

function applicationTable(applications) {
  return table(
    texts.overview.applications,
    [
      application,
      { head: t.state, cell: state },
      { head: t.running, number: true, cell: (it) => count(it.processing) },
      { head: t.calls, number: true, wide: true, cell: (it) => (it.calls === undefined ? '' : count(it.calls)) },
      { head: t.window, number: true, wide: true, cell: (it) => (it.slots === undefined ? '' : count(it.slots)) },
      { head: t.at, wide: true, cell: (it) => it.worker && h('code', {}, it.worker) },
    ],
    applications,
  );
}

function state(it) {
  if (it.paused_until) return badge('bad', t.pausedUntil(relative(it.paused_until)));
  return it.processing > 0 ? badge('good', texts.states.ok) : badge('plain', texts.states.idle);
}
