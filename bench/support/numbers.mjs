/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [left = 0, right = 0] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 ? right : (left + right) / 2;
}

/** @param {number} value */
export const rounded = (value, digits) => Number(value.toFixed(digits));

/**
 * @param {number[]} values
 * @param {number} share as in 0.99
 */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** The least and the most, as text. */
export const spread = (values, digits) =>
  [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits)).join('–');
