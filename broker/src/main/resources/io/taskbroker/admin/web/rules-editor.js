// Rules of the API: edited as YAML with a dry run and a diff, and their versions.
import { get, may, post, put } from './api.js';
import { confirm } from './actions.js';
import { h, section, table } from './dom.js';
import { count, shortTime } from './format.js';
import { texts } from './texts.js';

const t = texts.ruleEditor;

export async function editor(rules, signal, refresh) {
  const { versions } = await get('/v1/rules/versions', signal);
  return [
    section(t.inForce, inForce(rules)),
    may('operate') && section(t.edit, form(rules, refresh)),
    section(t.versions, history(versions, rules.version, refresh)),
  ].filter(Boolean);
}

function inForce({ in_force: all }) {
  if (all.length === 0) return h('p', {}, texts.none);
  return table(
    t.inForce,
    [
      { head: t.effect, cell: (it) => t.effects[it.effect] ?? it.effect },
      { head: t.name, cell: (it) => h('code', {}, it.name) },
      { head: t.source, cell: (it) => it.source },
      { head: t.matches, number: true, cell: (it) => count(it.matches) },
    ],
    all,
  );
}

const EXAMPLE = 'drop_task_killswitch: []\ndemoted_namespaces: []\n';

function form(rules, refresh) {
  const text = h('textarea', { name: 'rules', 'aria-label': t.edit, spellcheck: 'false' }, rules.rules || EXAMPLE);
  return h(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault();
        change(t.set, put, '/v1/rules', { rules: text.value, if_version: rules.version }, refresh);
      },
    },
    h('p', { class: 'small' }, t.help),
    text,
    h('div', { class: 'buttons' }, h('button', { class: 'primary' }, t.set)),
  );
}

function change(title, send, path, body, done) {
  return confirm({
    title,
    preview: async () => {
      const dry = await send(path, { ...body, dry_run: true, reason: '' });
      return { nothing: dry.diff.length === 0, content: preview(dry) };
    },
    act: async (reason) => {
      const { version } = await send(path, { ...body, reason });
      return t.done(count(version));
    },
    done,
  });
}

function preview({ diff, warnings, touched }) {
  return h(
    'div',
    {},
    diff.length === 0 ? h('p', {}, t.same) : [h('h3', {}, t.diff), lines(diff)],
    touched && [
      h('h3', {}, t.touches),
      h('ul', {}, [
        h('li', {}, t.removed(count(touched.removed))),
        touched.removed_by_arguments > 0 && h('li', {}, t.byArguments(count(touched.removed_by_arguments))),
        h('li', {}, t.demoted(count(touched.demoted))),
        !touched.complete && h('li', {}, t.incomplete),
      ]),
    ],
    warnings.length > 0 && [h('h3', {}, t.warnings), h('ul', {}, warnings.map((it) => h('li', {}, it)))],
  );
}

function lines(diff) {
  const tag = (line) => (line.startsWith('+') ? 'ins' : line.startsWith('-') ? 'del' : 'span');
  return h(
    'pre',
    { class: 'diff', tabindex: 0, 'aria-label': t.diff },
    diff.map((line) => h(tag(line), {}, tag(line) === 'span' ? `${line}\n` : line)),
  );
}

function history(versions, current, refresh) {
  if (versions.length === 0) return h('p', {}, t.noVersions);
  return table(
    t.versions,
    [
      { head: t.version, number: true, cell: (it) => it.version },
      { head: t.when, cell: (it) => shortTime(it.time) },
      { head: t.who, cell: (it) => it.who },
      { head: texts.confirm.reason, wide: true, cell: (it) => it.reason },
      {
        head: texts.acts.column,
        cell: (it) =>
          may('operate') &&
          it.version !== current &&
          h(
            'button',
            {
              onclick: () =>
                change(t.rollBack(it.version), post, '/v1/rules/rollback', { version: it.version, if_version: current }, refresh),
            },
            t.return,
          ),
      },
    ],
    versions,
  );
}
