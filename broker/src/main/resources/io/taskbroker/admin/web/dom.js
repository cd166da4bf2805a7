// Builds and updates the document. Text is always text: nothing here parses HTML.

const SVG = new Set(['svg', 'path', 'title']);

// Element with attributes and children. Attributes that start with "on" are listeners; those that
// are null, undefined or false are left out.
export function h(tag, attributes, ...children) {
  const element = SVG.has(tag)
    ? document.createElementNS('http://www.w3.org/2000/svg', tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false);
}

// Changes an element into what another one shows, in place, so that focus and scroll stay. Only for
// elements without listeners.
export function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  const next = [...to.childNodes];
  const now = [...from.childNodes];
  next.forEach((child, index) => {
    if (index < now.length) morph(now[index], child);
    else from.append(child);
  });
  now.slice(next.length).forEach((child) => child.remove());
}

// Link within the page.
export function link(path, text, attributes) {
  return h('a', { href: path, ...attributes }, text);
}

// Path of the page with query parameters; empty ones are left out.
export function path(base, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== '' && value !== null && value !== undefined) query.set(name, value);
  }
  const text = query.toString();
  return text === '' ? base : `${base}?${text}`;
}

// Table with a caption that is read aloud. Columns: {head, cell(row), number, wide}; those that are
// wide are hidden on a phone.
export function table(caption, columns, rows) {
  const kind = (column) =>
    [column.number && 'number', column.wide && 'wide'].filter(Boolean).join(' ') || null;
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, caption),
      h(
        'thead',
        {},
        h('tr', {}, columns.map((column) => h('th', { scope: 'col', class: kind(column) }, column.head))),
      ),
      h(
        'tbody',
        {},
        rows.map((row) =>
          h('tr', {}, columns.map((column) => h('td', { class: kind(column) }, column.cell(row)))),
        ),
      ),
    ),
  );
}

// List of names and values; empty values are left out.
export function facts(entries) {
  return h(
    'dl',
    { class: 'facts' },
    entries
      .filter(([, value]) => value !== null && value !== undefined && value !== '')
      .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

export function section(title, ...children) {
  return h('section', {}, h('h2', {}, title), ...children);
}

export function notice(kind, ...children) {
  return h('div', { class: `notice ${kind}` }, ...children);
}

export function badge(kind, text) {
  return h('span', { class: `badge ${kind}` }, text);
}

// What an empty list teaches: a sentence, and commands to copy.
export function empty(text, ...commands) {
  return h(
    'div',
    { class: 'empty' },
    h('p', {}, text),
    commands.map((command) => h('pre', { tabindex: 0 }, command)),
  );
}

// Small line graph of the last values, with its meaning for those who do not see it.
export function sparkline(values, label) {
  const width = 120;
  const height = 28;
  const most = Math.max(...values, 1e-9);
  const step = values.length > 1 ? width / (values.length - 1) : width;
  const points = values.map(
    (value, index) => `${(index * step).toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`,
  );
  return h(
    'svg',
    { class: 'spark', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
    values.length > 1 && h('path', { d: `M${points.join('L')}` }),
  );
}

export function field(label, control, help) {
  return h('label', { class: 'field' }, h('span', {}, label), control, help && h('small', {}, help));
}

export function select(name, value, options) {
  return h(
    'select',
    { name },
    options.map(([key, text]) => h('option', { value: key, selected: key === value }, text)),
  );
}

export function busy(text) {
  return h('p', { class: 'busy', role: 'status' }, text);
}
