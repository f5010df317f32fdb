import { createHash, randomInt } from 'node:crypto';

const digits = 18;

/** A random id in Zitadel's format: 18 digits. */
export function newId(): string {
  let id = '3';
  while (id.length < digits) id += String(randomInt(10));
  return id;
}

/** An id derived from `name`: the same on every start, so that a written `.env` file stays valid. */
export function idFor(name: string): string {
  const number = BigInt(`0x${createHash('sha256').update(name).digest('hex').slice(0, 16)}`);
  return `3${String(number)
    .padStart(digits, '0')
    .slice(-(digits - 1))}`;
}
