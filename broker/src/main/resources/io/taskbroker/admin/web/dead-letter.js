// One dead letter: why it failed, what it carries, and its replay, with other arguments if needed.
import { get, may } from './api.js';
import { diff } from './diff.js';
import { facts, h, notice, section } from './dom.js';
import { bytes, count, time } from './format.js';
import { stateBadge } from './dead-letters.js';
import { parsed } from './json.js';
import { confirmRun } from './replay-run.js';
import { headers, taskLink } from './task.js';
import { texts } from './texts.js';

const t = texts.deadLetter;

export const title = ({ variable }) => t.title(variable);

export async function show({ variable, signal, refresh }) {
  let detail;
  try {
    detail = await get(`/v1/dead-letters/${encodeURIComponent(variable)}`, signal);
  } catch (error) {
    if (error.status === 404) return notice('info', h('p', {}, t.gone));
    throw error;
  }
  const { letter } = detail;
  const open = letter.state === 'open' && may('operate');
  return [
    h('p', { class: 'line' }, h('strong', {}, letter.taskname || texts.deadLetters.noTask), ' ', letter.application, ' ', stateBadge(letter.state)),
    notice('bad', h('h2', {}, t.why), h('p', {}, letter.reason || texts.deadLetters.noReason)),
    letter.resolution && section(t.resolution, resolution(letter.resolution)),
    open && buttons(letter, refresh),
    section(t.arguments, content(detail, open, refresh)),
    section(t.headers, headers(detail.headers, t.headers)),
    section(t.recordHeaders, headers(detail.record_headers, t.recordHeaders)),
    section(
      t.details,
      facts([
        [t.id, letter.id],
        [t.firstId, letter.first_id],
        [texts.deadLetters.namespace, letter.namespace],
        [texts.deadLetters.failedAt, time(letter.failed_at)],
        [t.attempts, detail.max_attempts ? `${letter.attempts} / ${detail.max_attempts}` : count(letter.attempts)],
        [texts.task.atMostOnce, detail.at_most_once ? texts.yes : texts.no],
        [t.topic, [letter.topic, letter.origin && ` ${letter.origin}`].filter(Boolean).join('')],
        [t.bytes, bytes(letter.payload_bytes)],
      ]),
    ),
  ];
}

function resolution(it) {
  return facts([
    [texts.deadLetters.state, time(it.at)],
    [texts.replay.topics, it.topic],
    [t.id, it.id && taskLink(it.id)],
    [texts.confirm.reason, it.reason],
  ]);
}

function buttons(letter, refresh) {
  const one = { filter: { ids: [letter.position] } };
  return h(
    'div',
    { class: 'buttons' },
    letter.taskname &&
      h('button', { onclick: () => confirmRun('replay', one, refresh) }, texts.deadLetters.replayOne),
    h('button', { onclick: () => confirmRun('discard', one, refresh) }, texts.deadLetters.discardOne),
  );
}

function content(detail, open, refresh) {
  const problem = detail.problem && notice('warn', h('p', {}, detail.problem));
  if (detail.payload !== undefined) return [problem, h('p', {}, t.payload), h('pre', { tabindex: 0 }, detail.payload)];
  if (detail.arguments === undefined) return problem;
  const before = JSON.stringify(detail.arguments, null, 2);
  const shown = h('pre', { tabindex: 0, 'aria-label': t.arguments }, before);
  return [problem, shown, open && detail.editable && editor(detail, before, refresh)];
}

function editor(detail, before, refresh) {
  const text = h('textarea', { name: 'arguments', 'aria-label': t.arguments, spellcheck: 'false' }, before);
  const changes = h('div', {});
  const submit = h('button', { class: 'primary', disabled: true }, texts.deadLetters.replayOne);
  text.addEventListener('input', () => {
    const [problem, value] = parsed(text.value);
    const after = JSON.stringify(value, null, 2);
    submit.disabled = Boolean(problem) || after === before;
    changes.replaceChildren(
      problem
        ? h('p', { class: 'problem', role: 'alert' }, t.invalid(problem))
        : after === before
          ? h('p', {}, t.same)
          : h('div', {}, h('h3', {}, t.diff), diff(before, after, t.diff)),
    );
  });
  return h(
    'details',
    {},
    h('summary', {}, t.edit),
    h(
      'form',
      {
        onsubmit: (event) => {
          event.preventDefault();
          const [, value] = parsed(text.value);
          const after = JSON.stringify(value, null, 2);
          confirmRun(
            'replay',
            { filter: { ids: [detail.letter.position] }, arguments: value },
            refresh,
            diff(before, after, t.diff),
          );
        },
      },
      h('p', { class: 'small' }, t.editHelp),
      text,
      changes,
      h('div', { class: 'buttons' }, submit),
    ),
  );
}
