import { readFileSync } from 'node:fs';
import { signInFailureStatus } from '@mridang/nestjs-auth';
import { describe, expect, it } from '@jest/globals';
import { en } from '../src/texts/en.js';
import { errorMessage, messageFor } from '../src/texts/text.js';
import { codes } from './support/codes.js';
import { sessionEnds, signInFailures, signOutFailures } from './support/reasons.js';

const page = readFileSync('docs/errors.md', 'utf8');

/** The rows of the table below a heading: name → status, if the row has one. */
function documented(heading: string): Record<string, number | undefined> {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` +\| (\d*) *\| (.+?) *\| .*\|$/gm)];
  return Object.fromEntries(rows.map(([, name = '', status]) => [name, status ? Number(status) : undefined]));
}

describe('docs/errors.md', () => {
  it('lists every reason of a failed sign-in with its status', () => {
    expect(documented('Sign-in')).toEqual(signInFailureStatus);
  });

  it('lists every reason for the end of a session', () => {
    expect(Object.keys(documented('The end of a session')).sort()).toEqual([...sessionEnds].sort());
  });

  it('lists every reason of a failed sign-out with its status', () => {
    expect(documented('Sign-out')).toEqual(
      Object.fromEntries(signOutFailures.map((reason) => [reason, 400])),
    );
  });

  it('lists exactly the error codes of the program', () => {
    expect(codes.length).toBeGreaterThan(10);
    expect(Object.keys(documented('Codes')).sort()).toEqual([...codes].sort());
  });
});

describe('the text of an error page', () => {
  const read = (kind: 'signIn' | 'signOut', reason: string) => {
    const { title, text } = messageFor(kind, reason) ?? {};
    return [title && en[title], text && en[text]];
  };

  it('exists once for every reason of a failed sign-in or sign-out', () => {
    const signIn = signInFailures.map((reason) => read('signIn', reason));
    const signOut = signOutFailures.map((reason) => read('signOut', reason));
    for (const texts of [
      signIn.map(([title]) => title),
      signIn.map(([, text]) => text),
      signOut.map(([, text]) => text),
    ]) {
      expect(texts).not.toContain(undefined);
      expect(new Set(texts).size).toBe(texts.length);
    }
  });

  it('exists for every status, with special texts for known codes only', () => {
    const explained = Object.keys(en).flatMap((key) => /^error\.([A-Z_]+)\.title$/.exec(key)?.[1] ?? []);
    expect(explained.length).toBeGreaterThan(5);
    for (const code of explained) expect(codes).toContain(code);
    expect(en[errorMessage(503).title]).toContain('cannot be reached');
    expect(en[errorMessage(503, 'AUTH_SESSIONS_UNAVAILABLE').title]).toContain('session');
    expect(errorMessage(418, 'SOMETHING_ELSE')).toEqual(errorMessage(400));
    expect(en[errorMessage(599).title]).toBe('Something went wrong');
  });

  it.each([undefined, '', 'made_up', 'title', '__proto__', 'toString', ['a', 'b']])(
    'does not exist for an unknown reason: %j',
    (reason) => expect(messageFor('signIn', reason)).toBeUndefined(),
  );
});
