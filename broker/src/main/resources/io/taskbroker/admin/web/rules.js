// Rules in force, and pauses: those can be added and ended here.
import { get, may } from './api.js';
import { pause } from './actions.js';
import { badge, facts, field, h, notice, section, table } from './dom.js';
import { texts } from './texts.js';

const t = texts.rules;
const p = texts.pauses;
const NAMES = ['application', 'namespace', 'taskname'];

export async function show({ signal, refresh }) {
  const [rules, overview] = await Promise.all([get('/v1/rules', signal), get('/v1/overview', signal)]);
  return [section(texts.pages.rules, inForce(rules)), section(p.title, pauses(overview, refresh))];
}

function inForce(rules) {
  if (!rules.file) return h('p', {}, t.noFile);
  const list = (names) => (names.length === 0 ? t.none : names.map((name) => [badge('warn', name), ' ']));
  return [
    rules.problem && notice('bad', h('p', {}, h('strong', {}, t.problem)), h('p', {}, rules.problem)),
    facts([
      [t.file, h('code', {}, rules.file)],
      [t.switchedOff, list(rules.switched_off)],
      [t.demoted, list(rules.demoted)],
    ]),
  ];
}

// Tasks in memory that a pause of these names holds; those of a namespace are not counted by it.
function held({ tasknames, applications }, names) {
  const rows = names.taskname ? tasknames : applications;
  return rows
    .filter((it) => !names.application || it.application === names.application)
    .filter((it) => !names.taskname || it.taskname === names.taskname)
    .reduce((sum, it) => sum + it.pending, 0);
}

function pauses(overview, refresh) {
  const rows = overview.pauses;
  return [
    h('p', { class: 'small' }, p.help),
    rows.length === 0
      ? h('p', {}, p.none)
      : table(
          p.title,
          [
            ...NAMES.map((name) => ({ head: texts.tasks[name], cell: (it) => it[name] ?? p.any })),
            {
              head: texts.acts.column,
              cell: (it) =>
                may('operate') &&
                h('button', { onclick: () => pause(it, true, held(overview, it), refresh) }, p.resumeTitle),
            },
          ],
          rows,
        ),
    may('operate') && add(overview, refresh),
  ];
}

function add(overview, refresh) {
  const problem = h('p', { class: 'problem', role: 'alert' });
  return h(
    'form',
    {
      class: 'filter',
      'aria-label': p.add,
      onsubmit: (event) => {
        event.preventDefault();
        const names = Object.fromEntries(
          [...new FormData(event.target)].filter(([, value]) => value.trim() !== ''),
        );
        problem.textContent = Object.keys(names).length === 0 ? p.nameOne : '';
        if (Object.keys(names).length > 0) pause(names, false, held(overview, names), refresh);
      },
    },
    NAMES.map((name) => field(texts.tasks[name], h('input', { name, autocomplete: 'off' }))),
    problem,
    h('div', { class: 'buttons' }, h('button', {}, p.add)),
  );
}
