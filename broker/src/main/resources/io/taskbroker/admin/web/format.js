// Numbers, times and durations as text. Times are shown in the browser's time zone, with the exact
// time in UTC as a tooltip.
import { h } from './dom.js';
import { texts } from './texts.js';

const WHOLE = new Intl.NumberFormat('en');
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const LOCAL = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

export const count = (value) => WHOLE.format(value ?? 0);

export function rate(perSecond) {
  const digits = perSecond >= 100 ? 0 : perSecond >= 1 ? 1 : 2;
  return `${perSecond.toLocaleString('en', { maximumFractionDigits: digits })}/s`;
}

export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  let amount = value;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${amount.toLocaleString('en', { maximumFractionDigits: amount < 10 && unit > 0 ? 1 : 0 })} ${units[unit]}`;
}

// Duration in its two largest units.
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '';
  if (seconds < 1) return texts.format.moment;
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  let left = Math.round(seconds);
  const parts = [];
  for (const [name, size] of units) {
    if (left >= size) {
      parts.push(`${Math.floor(left / size)} ${name}`);
      left %= size;
    } else if (parts.length > 0) {
      break;
    }
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

export function relative(time, now = Date.now()) {
  const seconds = (new Date(time).getTime() - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 59.5) return RELATIVE.format(Math.round(seconds), 'second');
  if (size < 59.5 * 60) return RELATIVE.format(Math.round(seconds / 60), 'minute');
  if (size < 23.5 * 3600) return RELATIVE.format(Math.round(seconds / 3600), 'hour');
  return RELATIVE.format(Math.round(seconds / 86400), 'day');
}

// Time, as the browser's user reads it: how long ago, and when.
export function time(value) {
  if (!value) return '';
  return h('time', { datetime: value, title: `${value} UTC` }, `${relative(value)} (${LOCAL.format(new Date(value))})`);
}

export function shortTime(value) {
  if (!value) return '';
  return h('time', { datetime: value, title: `${LOCAL.format(new Date(value))} ${zone()}` }, relative(value));
}

// Short duration, to two digits.
export function latency(seconds) {
  if (seconds === undefined) return texts.format.unknown;
  if (seconds < 0.001) return texts.format.instant;
  const short = (value) => value.toLocaleString('en', { maximumSignificantDigits: 2 });
  if (seconds < 1) return `${short(seconds * 1000)} ms`;
  return seconds < 60 ? `${short(seconds)} s` : duration(seconds);
}
