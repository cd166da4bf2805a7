// Creates a schedule, or changes one: a form with a preview of its times, and a dry run with a diff.
import { get, may, put } from './api.js';
import { confirm } from './actions.js';
import { diff } from './diff.js';
import { field, h, notice, path, section, select } from './dom.js';
import { parsed } from './json.js';
import { times } from './schedule.js';
import { go } from './shell.js';
import { texts } from './texts.js';

const t = texts.scheduleEditor;
const PREVIEW_MILLIS = 300;

export const title = ({ query }) => (query.get('name') ? t.edit(query.get('name')) : t.create);

export async function show({ query, signal }) {
  if (!may('operate')) return notice('info', h('p', {}, t.notAllowed));
  const name = query.get('name') ?? '';
  if (name === '') return form('', null, signal);
  const detail = await get(`/v1/schedules/${encodeURIComponent(name)}`, signal);
  return detail.definition ? form(name, detail, signal) : notice('info', h('p', {}, t.notEditable));
}

const input = (name, value, attributes) =>
  h('input', { name, value: value ?? '', autocomplete: 'off', ...attributes });
const seconds = (name, value) => input(name, value, { type: 'number', min: 0, step: 1 });
const text = (value) => (value === undefined ? '' : JSON.stringify(value, null, 2));

function form(name, detail, signal) {
  const given = detail?.definition ?? { task: {} };
  const { task } = given;
  const preview = h('div', { 'aria-live': 'polite' });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const element = h(
    'form',
    {
      class: 'steps',
      onsubmit: (event) => {
        event.preventDefault();
        save(element, name, detail, problem);
      },
      oninput: () => soon(element, preview, signal),
    },
    section(
      t.times,
      h(
        'div',
        { class: 'filter' },
        field(texts.schedules.name, input('name', name, { required: true, readonly: name !== '', maxlength: 200 })),
        field(t.cron, input('cron', given.cron), t.cronHelp),
        field(t.zone, input('time_zone', given.time_zone, { list: 'zones' }), t.zoneHelp),
        field(t.every, seconds('every_seconds', given.every_seconds), t.everyHelp),
      ),
      zones(),
      preview,
    ),
    section(
      t.task,
      h(
        'div',
        { class: 'filter' },
        field(texts.tasks.taskname, input('taskname', task.taskname, { required: true })),
        field(texts.tasks.application, input('application', task.application), t.usual('default')),
        field(texts.tasks.namespace, input('namespace', task.namespace), t.usual('default')),
        field(t.attempts, seconds('max_attempts', task.max_attempts), t.usual('1')),
        field(t.onFailure, select('on_failure', task.on_failure ?? '', Object.entries(t.onFailures))),
      ),
      field(texts.task.arguments, area('arguments', text(task.arguments)), t.json),
    ),
    h('details', {}, h('summary', {}, t.more), more(given)),
    problem,
    h('div', { class: 'buttons' }, h('button', { class: 'primary' }, t.check)),
  );
  soon(element, preview, signal, 0);
  return element;
}

function more(given) {
  const { task } = given;
  return [
    h(
      'div',
      { class: 'filter' },
      field(texts.schedules.missed, select('missed', given.missed ?? '', Object.entries(t.missed))),
      field(t.missedLimit, seconds('missed_limit', given.missed_limit), t.usual('100')),
      field(texts.schedules.start, input('start', given.start), t.instant),
      field(texts.schedules.end, input('end', given.end), t.instant),
      field(t.phase, seconds('phase_seconds', given.phase_seconds), t.phaseHelp),
      field(t.jitter, seconds('jitter_seconds', given.jitter_seconds)),
      field(t.retryDelay, seconds('retry_delay_seconds', task.retry_delay_seconds)),
      field(t.deadline, seconds('deadline_seconds', task.deadline_seconds), t.usual('30')),
      field(t.expires, seconds('expires_seconds', task.expires_seconds)),
      field(t.delay, seconds('delay_seconds', task.delay_seconds)),
      field(texts.task.atMostOnce, select('at_most_once', String(task.at_most_once ?? ''), Object.entries(t.flags))),
      field(t.description, input('description', given.description, { maxlength: 1024 })),
    ),
    field(texts.task.headers, area('headers', text(task.headers)), t.headers),
  ];
}

function area(name, value) {
  return h('textarea', { name, rows: 6, spellcheck: 'false' }, value);
}

function zones() {
  return h('datalist', { id: 'zones' }, Intl.supportedValuesOf('timeZone').map((value) => h('option', { value })));
}

const pending = new WeakMap();

// Asks for the next times a moment after the last change.
function soon(element, preview, signal, wait = PREVIEW_MILLIS) {
  clearTimeout(pending.get(element));
  pending.set(element, setTimeout(() => nextTimes(element, preview, signal), wait));
}

async function nextTimes(element, preview, signal) {
  const { cron, time_zone, every_seconds, phase_seconds } = body(element);
  if (!cron && !every_seconds) {
    preview.replaceChildren(h('p', {}, t.noTimes));
    return;
  }
  try {
    const found = await get(path('/v1/schedule-times', { cron, time_zone, every_seconds, phase_seconds }), signal);
    preview.replaceChildren(h('h3', {}, texts.schedules.nextTimes), times(found.next_times.slice(0, 5)));
  } catch (error) {
    if (error.name !== 'AbortError') preview.replaceChildren(h('p', { class: 'problem' }, error.message));
  }
}

// What the form says; fields that are empty are left out.
function body(element) {
  const value = (name) => element.elements[name].value.trim() || undefined;
  const number = (name) => (value(name) === undefined ? undefined : Number(value(name)));
  const json = (name) => {
    if (value(name) === undefined) return undefined;
    const [wrong, found] = parsed(value(name));
    return wrong ? undefined : found;
  };
  const flag = value('at_most_once');
  return {
    cron: value('cron'),
    time_zone: value('time_zone'),
    every_seconds: number('every_seconds'),
    phase_seconds: number('phase_seconds'),
    start: value('start'),
    end: value('end'),
    jitter_seconds: number('jitter_seconds'),
    missed: value('missed'),
    missed_limit: number('missed_limit'),
    description: value('description'),
    task: {
      taskname: value('taskname'),
      namespace: value('namespace'),
      application: value('application'),
      arguments: json('arguments'),
      headers: json('headers'),
      deadline_seconds: number('deadline_seconds'),
      expires_seconds: number('expires_seconds'),
      delay_seconds: number('delay_seconds'),
      max_attempts: number('max_attempts'),
      retry_delay_seconds: number('retry_delay_seconds'),
      on_failure: value('on_failure'),
      at_most_once: flag && flag === 'true',
    },
  };
}

// What is wrong with the texts that are JSON; empty if nothing is.
function wrongJson(element) {
  return ['arguments', 'headers']
    .map((name) => [name, element.elements[name].value.trim()])
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [name, parsed(value)[0]])
    .filter(([, wrong]) => wrong)
    .map(([name, wrong]) => t.notJson(texts.task[name], wrong))
    .join(' ');
}

function save(element, old, detail, problem) {
  problem.textContent = wrongJson(element);
  if (problem.textContent !== '') return undefined;
  const name = element.elements.name.value.trim();
  const url = `/v1/schedules/${encodeURIComponent(name)}`;
  const change = body(element);
  let seen = detail;
  let saved = false;
  return confirm({
    title: old === '' ? t.create : t.edit(name),
    label: t.save,
    preview: async () => {
      seen ??= await existing(url);
      const after = await put(url, { ...change, if_updated_at: seen?.updated_at, dry_run: true, reason: '' });
      return touched(seen, after);
    },
    act: async (reason) => {
      await put(url, { ...change, if_updated_at: seen?.updated_at, reason });
      saved = true;
      return t.saved(name);
    },
    done: () => saved && go(`/ui/schedules/${encodeURIComponent(name)}`),
  });
}

async function existing(url) {
  try {
    return await get(url);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

function touched(before, after) {
  const old = before ? JSON.stringify(before.definition ?? before.schedule, null, 2) : '';
  const fresh = JSON.stringify(after.definition, null, 2);
  if (old === fresh) return { nothing: true, content: h('p', {}, t.same) };
  return {
    content: h(
      'div',
      {},
      h('p', {}, before ? t.replaces(before.schedule.name) : t.creates),
      h('h3', {}, t.diff),
      diff(old, fresh, t.diff),
      h('h3', {}, texts.schedules.nextTimes),
      times(after.next_times.slice(0, 5)),
    ),
  };
}
