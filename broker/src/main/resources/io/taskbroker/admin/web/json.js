// JSON that people type.
import { texts } from './texts.js';

// What is wrong with a text, or null, and its value. Whole numbers that a browser would change are
// refused.
export function parsed(text) {
  try {
    return [null, JSON.parse(text, exact)];
  } catch (error) {
    return [error.message, undefined];
  }
}

function exact(key, value) {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new Error(texts.json.tooLarge(String(value)));
  }
  return value;
}
