import { createHash, randomInt } from 'node:crypto';

const digits = 18;

/** A fresh id in Zitadel's shape: 18 digits. */
export function newId(): string {
  let id = '3';
  while (id.length < digits) id += String(randomInt(10));
  return id;
}

/** The same 18 digits for the same name, so that an environment survives a restart. */
export function idFor(name: string): string {
  const number = BigInt(`0x${createHash('sha256').update(name).digest('hex').slice(0, 16)}`);
  return `3${String(number)
    .padStart(digits, '0')
    .slice(-(digits - 1))}`;
}
