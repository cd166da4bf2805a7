// Replay wizard: which dead letters, how, a dry run, and the run with its progress.
import { get, may, post } from './api.js';
import { reasonField } from './actions.js';
import { field, h, notice, path, section, table } from './dom.js';
import { count, shortTime } from './format.js';
import { report, run, sample } from './replay-run.js';
import { texts } from './texts.js';

const t = texts.replay;

export const title = ({ query }) => (query.get('action') === 'discard' ? t.discardTitle : t.title);

export async function show({ query, signal, refresh }) {
  const action = query.get('action') === 'discard' ? 'discard' : 'replay';
  const { runs } = await get('/v1/dead-letters/runs', signal);
  return [may('operate') && wizard(action, query, refresh), section(texts.deadLetters.runs, past(runs))];
}

function wizard(action, query, refresh) {
  const input = (name, label, attributes, help) =>
    field(label, h('input', { name, value: query.get(name), autocomplete: 'off', ...attributes }), help);
  const check = (name, label) => h('label', { class: 'check' }, h('input', { type: 'checkbox', name }), label);
  const d = texts.deadLetters;
  const preview = h('div', { role: 'status' });
  const running = h('div', {});
  const reason = reasonField();
  const start = h('button', { class: 'primary', disabled: true }, t.start);
  let checked = null;

  const form = h(
    'form',
    {
      class: 'steps',
      onsubmit: (event) => event.preventDefault(),
      oninput: (event) => {
        if (event.target !== reason && checked) {
          checked = null;
          start.disabled = true;
          preview.replaceChildren(h('p', {}, t.changed));
        }
      },
    },
    section(
      t.select,
      h(
        'div',
        { class: 'filter' },
        input('application', d.application),
        input('namespace', d.namespace),
        input('taskname', d.task),
        input('error', d.error, {}, d.errorHelp),
        input('since', t.since, { type: 'datetime-local' }),
        input('until', t.until, { type: 'datetime-local' }),
        input('id', t.ids),
      ),
    ),
    section(
      t.options,
      h(
        'div',
        { class: 'filter' },
        action === 'replay' && input('to', t.to, {}, t.toHelp),
        input('rate', t.rate, { type: 'number', min: 1, max: 10000, value: 100 }),
        input('limit', t.limit, { type: 'number', min: 1 }),
      ),
      action === 'replay' && [check('keep_attempts', t.keepAttempts), check('at_most_once', t.atMostOnce)],
      check('copies', t.copies),
    ),
    section(
      t.preview,
      h('button', { type: 'button', onclick: dryRun }, t.dryRun),
      preview,
    ),
    section(
      t.run,
      field(texts.confirm.reason, reason, texts.confirm.reasonHelp),
      h('div', { class: 'buttons' }, start),
      running,
    ),
  );
  start.addEventListener('click', begin);

  function body() {
    const given = new FormData(form);
    const text = (name) => (given.get(name) ?? '').trim() || undefined;
    const instant = (name) => (text(name) ? new Date(text(name)).toISOString() : undefined);
    const filter = {
      application: text('application'),
      namespace: text('namespace'),
      taskname: text('taskname'),
      error: text('error'),
      since: instant('since'),
      until: instant('until'),
      ids: text('id')?.split(/[\s,]+/),
    };
    const options = {
      to: text('to'),
      rate: Number(text('rate') ?? 100),
      limit: text('limit') ? Number(text('limit')) : undefined,
      copies: given.has('copies'),
    };
    if (action === 'replay') {
      options.keep_attempts = given.has('keep_attempts');
      options.at_most_once = given.has('at_most_once');
    }
    return { filter, ...options };
  }

  async function dryRun() {
    const request = body();
    preview.replaceChildren(h('p', { class: 'busy' }, texts.confirm.counting));
    try {
      const state = await run(action, { ...request, dry_run: true, reason: '' });
      const { ids, ...filter } = request.filter;
      const query = path('/v1/dead-letters', { ...filter, id: ids?.[0], limit: 10 });
      preview.replaceChildren(report(state), state.counts.done > 0 ? await sample(query) : h('p', {}, t.nothing));
      checked = request;
      start.disabled = state.counts.done === 0;
    } catch (error) {
      preview.replaceChildren(notice('bad', h('p', {}, error.message)));
    }
  }

  async function begin() {
    if (!reason.reportValidity() || !checked) return;
    start.disabled = true;
    const bar = h('progress', { 'aria-label': t.run });
    const line = h('p', { role: 'status' });
    const id = { value: null };
    const stop = h(
      'button',
      { type: 'button', onclick: () => post('/v1/dead-letters/runs/stop', { run: id.value, reason: reason.value }) },
      t.stop,
    );
    running.replaceChildren(bar, line, stop);
    try {
      const end = await run(action, { ...checked, reason: reason.value }, (state) => {
        id.value = state.id;
        const { done, scanned, size } = state.counts;
        bar.max = Math.max(1, size);
        bar.value = scanned;
        line.textContent = t.progress(count(done), count(scanned), count(size));
      });
      running.replaceChildren(notice('good', h('div', { role: 'status' }, report(end))), again());
    } catch (error) {
      running.replaceChildren(notice('bad', h('p', { role: 'alert' }, error.message)), again());
    }
  }

  const again = () => h('button', { type: 'button', onclick: refresh }, texts.task.refresh);
  return form;
}

function past(runs) {
  if (runs.length === 0) return h('p', {}, texts.none);
  return table(
    texts.deadLetters.runs,
    [
      { head: '#', cell: (it) => it.id },
      { head: texts.acts.column, cell: (it) => (it.dry_run ? `${t.dryRun}: ${it.action}` : it.action) },
      { head: texts.deadLetters.state, cell: (it) => it.state },
      { head: t.done, number: true, cell: (it) => `${count(it.counts.done)} / ${count(it.counts.selected)}` },
      { head: t.who, wide: true, cell: (it) => it.who },
      { head: texts.confirm.reason, wide: true, cell: (it) => it.reason },
      { head: t.began, cell: (it) => shortTime(it.started_at) },
    ],
    runs,
  );
}
