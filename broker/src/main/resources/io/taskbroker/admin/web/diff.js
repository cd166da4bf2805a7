// Difference of two texts by lines, by their longest common subsequence.
import { h } from './dom.js';

export function lines(before, after) {
  const a = before.split('\n');
  const b = after.split('\n');
  const common = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const result = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      result.push([' ', a[i]]);
      i += 1;
      j += 1;
    } else if (j === b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) {
      result.push(['-', a[i]]);
      i += 1;
    } else {
      result.push(['+', b[j]]);
      j += 1;
    }
  }
  return result;
}

export function diff(before, after, label) {
  const tags = { ' ': 'span', '-': 'del', '+': 'ins' };
  return h(
    'pre',
    { class: 'diff', tabindex: 0, 'aria-label': label },
    lines(before, after).map(([kind, text]) => h(tags[kind], {}, `${kind} ${text}${kind === ' ' ? '\n' : ''}`)),
  );
}
