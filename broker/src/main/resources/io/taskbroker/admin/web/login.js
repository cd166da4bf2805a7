// Sign-in: exchanges a token for a session of the browser.
import { loadSession, signIn, whoAmI } from './api.js';
import { field, h, notice } from './dom.js';
import { texts } from './texts.js';

const t = texts.login;

export function show(signedIn) {
  if (!whoAmI().tokens) return notice('info', h('p', {}, t.proxyOnly));
  const token = h('input', {
    type: 'password',
    name: 'token',
    required: true,
    autocomplete: 'current-password',
    spellcheck: 'false',
  });
  const problem = h('p', { class: 'problem', role: 'alert' });
  return h(
    'form',
    {
      class: 'card narrow',
      onsubmit: async (event) => {
        event.preventDefault();
        problem.textContent = '';
        try {
          await signIn(token.value.trim());
          signedIn();
        } catch (error) {
          problem.textContent = error.status === 401 ? t.refused : error.message;
          await loadSession().catch(() => {});
          token.focus();
        }
      },
    },
    field(t.token, token, t.help),
    problem,
    h('button', { class: 'primary' }, t.submit),
  );
}
