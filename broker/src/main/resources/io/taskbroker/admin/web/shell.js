// Frame of every page: navigation, session, colours; and the router. A page is a module whose
// `show(place)` returns its content, at once or later. `place` has the path's variable, the query,
// a signal that aborts when the user leaves, and `refresh()`.
import { loadSession, signOut, whoAmI, whenSignedOut } from './api.js';
import { busy, h, link, notice } from './dom.js';
import { zone } from './format.js';
import { connect, disconnect, follow } from './live.js';
import { texts } from './texts.js';

// Pages: path with at most one variable, module, title, and the operation that the broker must have.
const PAGES = [
  { path: '/ui/', name: 'overview', load: () => import('./overview.js'), menu: true },
  { path: '/ui/applications/:', name: 'overview', load: () => import('./application.js') },
  { path: '/ui/tasks', name: 'tasks', load: () => import('./tasks.js'), menu: true },
  { path: '/ui/tasks/:', name: 'tasks', load: () => import('./task.js') },
  { path: '/ui/finished', name: 'finished', load: () => import('./finished.js'), menu: true },
  { path: '/ui/finished/:', name: 'finished', load: () => import('./finished-task.js') },
  { path: '/ui/workers', name: 'workers', load: () => import('./workers.js'), menu: true },
  {
    path: '/ui/dead-letters',
    name: 'deadLetters',
    load: () => import('./dead-letters.js'),
    menu: true,
  },
  { path: '/ui/dead-letters/replay', name: 'deadLetters', load: () => import('./replay.js') },
  { path: '/ui/dead-letters/:', name: 'deadLetters', load: () => import('./dead-letter.js') },
  { path: '/ui/schedules', name: 'schedules', load: () => import('./schedules.js'), menu: true },
  { path: '/ui/schedules/:', name: 'schedules', load: () => import('./schedule.js') },
  { path: '/ui/schedule-editor', name: 'schedules', load: () => import('./schedule-editor.js') },
  { path: '/ui/rules', name: 'rules', load: () => import('./rules.js'), menu: true },
  { path: '/ui/brokers', name: 'brokers', load: () => import('./partitions.js'), menu: true },
  { path: '/ui/audit', name: 'audit', load: () => import('./audit.js'), menu: true },
  { path: '/ui/config', name: 'config', load: () => import('./config.js'), menu: true },
];

let main;
let leave = new AbortController();

export function start(root) {
  whenSignedOut(async () => {
    disconnect();
    await loadSession().catch(() => {});
    draw(root);
  });
  document.addEventListener('click', (event) => {
    const anchor = event.target.closest?.('a[href^="/ui/"]');
    if (anchor && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      go(anchor.getAttribute('href'));
    }
  });
  window.addEventListener('popstate', () => route(false));
  colours(localStorage.getItem('colours') ?? 'system');
  draw(root);
}

export function go(path) {
  history.pushState(null, '', path);
  route(true);
}

function draw(root) {
  const session = whoAmI();
  main = h('main', { id: 'content', tabindex: -1 });
  root.replaceChildren(
    h('a', { class: 'skip', href: '#content' }, texts.skip),
    h(
      'header',
      { class: 'top' },
      link('/ui/', texts.product, { class: 'product' }),
      h(
        'button',
        {
          class: 'menu',
          'aria-expanded': 'false',
          'aria-controls': 'nav',
          onclick: (event) => {
            const open = document.body.classList.toggle('menu-open');
            event.currentTarget.setAttribute('aria-expanded', String(open));
          },
        },
        texts.menu,
      ),
      h('span', { id: 'live', class: 'live' }),
    ),
    h(
      'nav',
      { id: 'nav', 'aria-label': texts.nav },
      h(
        'ul',
        {},
        PAGES.filter((page) => page.menu && session.signed_in).map((page) =>
          h('li', { 'data-path': page.path }, link(page.path, texts.pages[page.name])),
        ),
      ),
      h('div', { class: 'foot' }, session.signed_in ? user(session, root) : null, colourChoice()),
    ),
    main,
  );
  if (session.signed_in) {
    connect();
    follow(showLive, new AbortController().signal);
  }
  route(false);
}

function user(session, root) {
  return h(
    'div',
    { class: 'user' },
    h('p', {}, texts.signedInAs(session.name, session.role)),
    session.read_only && h('p', {}, texts.readOnly),
    session.cross_site_token &&
      h(
        'button',
        {
          onclick: async () => {
            disconnect();
            await signOut();
            draw(root);
          },
        },
        texts.signOut,
      ),
    h('p', { class: 'small' }, texts.zone(zone())),
  );
}

function showLive({ connected }) {
  const mark = document.getElementById('live');
  if (mark && mark.dataset.on !== String(connected)) {
    mark.dataset.on = String(connected);
    mark.textContent = connected ? texts.live : texts.disconnected;
  }
}

function colourChoice() {
  const chosen = localStorage.getItem('colours') ?? 'system';
  return h(
    'label',
    { class: 'field' },
    h('span', {}, texts.theme.label),
    h(
      'select',
      {
        onchange: (event) => {
          localStorage.setItem('colours', event.target.value);
          colours(event.target.value);
        },
      },
      ['system', 'light', 'dark'].map((name) =>
        h('option', { value: name, selected: name === chosen }, texts.theme[name]),
      ),
    ),
  );
}

function colours(name) {
  document.documentElement.dataset.colours = name;
}

function find(pathname) {
  for (const page of PAGES) {
    if (page.path === pathname) return { page, variable: '' };
  }
  for (const page of PAGES) {
    const base = page.path.endsWith(':') ? page.path.slice(0, -1) : null;
    const rest = base && pathname.startsWith(base) ? pathname.slice(base.length) : '';
    if (rest !== '' && !rest.includes('/')) {
      return { page, variable: decodeURIComponent(rest) };
    }
  }
  return null;
}

async function route(moved) {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  document.body.classList.remove('menu-open');
  document.querySelector('button.menu')?.setAttribute('aria-expanded', 'false');
  if (!whoAmI().signed_in) {
    const login = await import('./login.js');
    show(login.show(() => draw(document.getElementById('app'))), signal, texts.login.title, moved);
    return;
  }
  const found = find(location.pathname);
  mark(found?.page);
  if (!found) {
    show(notice('bad', texts.notFound), signal, texts.notFound, moved);
    return;
  }
  const place = {
    variable: found.variable,
    query: new URLSearchParams(location.search),
    signal,
    refresh: () => route(false),
  };
  if (moved || main.childElementCount === 0) main.replaceChildren(busy(texts.loading));
  try {
    const page = await found.page.load();
    const content = await page.show(place);
    show(content, signal, page.title?.(place) ?? texts.pages[found.page.name], moved);
  } catch (error) {
    if (error.name !== 'AbortError') {
      show(failure(error, place.refresh), signal, texts.pages[found.page.name], moved);
    }
  }
}

export function failure(error, again) {
  return notice(
    'bad',
    h('p', {}, texts.failed(error.message)),
    h('button', { onclick: again }, texts.again),
  );
}

function show(content, signal, title, moved) {
  if (signal.aborted) return;
  document.title = `${title} · ${texts.product}`;
  const head = h('h1', { tabindex: -1 }, title);
  main.replaceChildren(head, ...[content].flat());
  if (moved) {
    window.scrollTo(0, 0);
    head.focus();
  }
}

function mark(page) {
  for (const item of document.querySelectorAll('nav li')) {
    const here = page && PAGES.find((each) => each.path === item.dataset.path)?.name === page.name;
    const anchor = item.querySelector('a');
    if (here) anchor.setAttribute('aria-current', 'page');
    else anchor.removeAttribute('aria-current');
  }
}
