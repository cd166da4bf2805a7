// Effective configuration of this broker, secrets hidden.
import { get } from './api.js';
import { h } from './dom.js';
import { texts } from './texts.js';

export async function show({ signal }) {
  const { yaml } = await get('/v1/config', signal);
  return [
    h('p', {}, texts.config.help),
    h('pre', { tabindex: 0, 'aria-label': texts.pages.config }, yaml),
  ];
}
