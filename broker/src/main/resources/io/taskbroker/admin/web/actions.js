// Dialogs in which an act is confirmed: what it touches, why, progress, and what was recorded.
import { get, has, post, whoAmI } from './api.js';
import { busy, field, h, notice, path, select } from './dom.js';
import { count } from './format.js';
import { texts } from './texts.js';

const t = texts.confirm;
const MOST = 1000;
const CHUNK = 100;
const SAMPLE = 10;
export const PRIORITIES = [4, 3, 2, 1, 0, -1, -2, -3, -4].map(String);

// Modal dialog. The content is replaced as the act goes on; closing it ends it.
function open(title, ...content) {
  const body = h('div', { class: 'dialog-body' }, ...content);
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, h('h2', { id: 'dialog-title' }, title), body);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return {
    close: () => dialog.close(),
    show: (...next) => body.replaceChildren(...next.flat(Infinity).filter(Boolean)),
    whenClosed: (action) => dialog.addEventListener('close', action),
  };
}

export function reasonField() {
  return h('input', { name: 'reason', required: true, minlength: 3, maxlength: 500, autocomplete: 'off' });
}

// Asks for confirmation and then acts.
//
// Plan: title, explanation, `preview()` that tells what is touched as {content, nothing}, fields to
// fill in, `act(reason, progress)` that returns a text, and `done` that is called when the dialog
// closes after an act.
export async function confirm({ title, explanation, label, preview, fields, act, done }) {
  const dialog = open(title, explanation && h('p', {}, explanation), busy(t.counting));
  const back = () => h('button', { type: 'button', onclick: dialog.close }, t.cancel);
  let touched;
  try {
    touched = await preview();
  } catch (error) {
    dialog.show(notice('bad', h('p', {}, t.failed(error.message))), back());
    return;
  }
  if (touched.nothing) {
    dialog.show(touched.content, back());
    return;
  }
  const reason = reasonField();
  dialog.show(
    explanation && h('p', {}, explanation),
    touched.content,
    h(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          run(dialog, reason.value, act, done);
        },
      },
      fields,
      field(t.reason, reason, t.reasonHelp),
      h('div', { class: 'buttons' }, h('button', { class: 'primary' }, label ?? title), back()),
    ),
  );
  reason.focus();
}

async function run(dialog, reason, act, done) {
  const bar = h('progress', { 'aria-label': t.progress('', '') });
  const line = h('p', { role: 'status' });
  dialog.show(bar, line);
  const since = new Date(Date.now() - 1000).toISOString();
  const progress = (finished, total) => {
    bar.max = total;
    bar.value = finished;
    line.textContent = t.progress(count(finished), count(total));
  };
  const close = h('button', { class: 'primary', onclick: dialog.close }, t.close);
  if (done) dialog.whenClosed(done);
  try {
    const text = await act(reason, progress);
    dialog.show(
      notice('good', h('p', { role: 'status' }, text)),
      h('h3', {}, t.audit),
      await recorded(reason, since),
      close,
    );
  } catch (error) {
    dialog.show(notice('bad', h('p', { role: 'alert' }, t.failed(error.message))), close);
  }
  close.focus();
}

// The entry of the audit log, if the broker shows it.
async function recorded(reason, since) {
  const plain = h('p', {}, t.auditPlain(whoAmI().name, reason));
  try {
    if (!(await has('get', '/v1/audit'))) return plain;
    const { entries } = await get('/v1/audit?limit=20');
    const own = entries.find((it) => it.reason === reason && it.time >= since);
    return own ? h('p', {}, t.auditEntry(own.who, own.act, own.reason)) : plain;
  } catch {
    return plain;
  }
}

// Acts on tasks, by ids or by a filter, in parts: exactly those that the dry run named.
//
// Priority: the one that is offered first by the act of that name.
export function actOn(act, target, done, priority = '0') {
  let ids = [];
  const chosen = act === 'priority' && priorityField(priority);
  const values = () => (chosen ? { priority: Number(chosen.value) } : {});
  return confirm({
    title: texts.acts[act],
    explanation: texts.acts.explain[act],
    preview: async () => {
      const found = await post('/v1/tasks/act', {
        act,
        ...target,
        ...values(),
        ...(target.filter ? { limit: MOST } : {}),
        dry_run: true,
        reason: '',
      });
      ids = found.tasks.filter((it) => it.done).map((it) => it.id);
      const others = found.tasks.filter((it) => !it.done);
      return { nothing: ids.length === 0, content: touched(found, ids, others) };
    },
    fields: chosen && field(texts.acts.toPriority, chosen),
    act: async (reason, progress) => {
      let finished = 0;
      for (let from = 0; from < ids.length; from += CHUNK) {
        progress(from, ids.length);
        const part = ids.slice(from, from + CHUNK);
        finished += (await post('/v1/tasks/act', { act, ids: part, ...values(), reason })).done;
      }
      const failed = ids.length - finished;
      return failed === 0 ? t.done(count(finished)) : t.partly(count(finished), count(failed));
    },
    done,
  });
}

const priorityField = (value) =>
  select('priority', value, PRIORITIES.map((it) => [it, texts.priority(it)]));

function touched(found, ids, others) {
  const list = (tasks) =>
    h(
      'ul',
      { class: 'sample' },
      tasks.slice(0, SAMPLE).map((it) => h('li', {}, h('code', {}, it.id), ` ${it.detail}`)),
    );
  const done = found.tasks.filter((it) => it.done);
  return h(
    'div',
    {},
    h('p', {}, ids.length === 0 ? t.nothing : t.touches(count(ids.length), count(found.matched))),
    found.more && h('p', {}, t.more(count(MOST))),
    done.length > 0 && [h('h3', {}, t.sample), list(done)],
    others.length > 0 && [h('h3', {}, t.skipped), list(others)],
  );
}

// Holds tasks, or lets them run again.
export function pause(names, resume, held, done) {
  return confirm({
    title: resume ? texts.pauses.resumeTitle : texts.pauses.pauseTitle,
    explanation: Object.entries(names)
      .map(([name, value]) => `${texts.tasks[name]} ${value}`)
      .join(', '),
    preview: async () => {
      const number = names.namespace ? await ofNamespace(names) : held;
      const { tasks } = await get(path('/v1/tasks', { ...names, waiting: resume ? 'PAUSED' : '', limit: SAMPLE }));
      return {
        content: [
          h('p', {}, (resume ? texts.pauses.frees : texts.pauses.holds)(count(number))),
          tasks.length > 0 && [
            h('h3', {}, t.sample),
            h('ul', { class: 'sample' }, tasks.map((it) => h('li', {}, h('code', {}, it.id), ` ${it.taskname}`))),
          ],
        ],
      };
    },
    act: async (reason) => {
      await post(resume ? '/v1/resume' : '/v1/pause', { ...names, reason });
      return texts.pauses.done;
    },
    done,
  });
}

// Tasks in memory of a namespace, or of a name in it.
async function ofNamespace(names) {
  const { groups } = await get(`/v1/backlog?by=${names.taskname ? 'task' : 'namespace'}`);
  return groups
    .filter((it) => Object.entries(names).every(([name, value]) => it[name] === value))
    .reduce((sum, it) => sum + it.pending, 0);
}
