// Start of the page: session, then the page of the path.
import { loadSession } from './api.js';
import { start } from './shell.js';

await loadSession().catch(() => {});
start(document.getElementById('app'));
