import { readFileSync } from 'node:fs';
import { failureTexts } from '@mridang/nestjs-zitadel';
import { describe, expect, it } from '@jest/globals';
import { errorsPage, failurePageTexts } from '../scripts/error-docs.mjs';
import { en } from '../src/texts/en.js';
import { errorMessage, messageFor } from '../src/texts/text.js';
import { codes } from './support/codes.js';
import { sessionEnds, signInFailures, signOutFailures } from './support/reasons.js';

describe('docs/errors.md', () => {
  it('is made from the texts of the library and the statuses of the errors by npm run docs', () => {
    expect(readFileSync('docs/errors.md', 'utf8')).toBe(errorsPage(failurePageTexts));
  });

  it('lists every reason of a failed sign-in, of the end of a session and of a failed sign-out', () => {
    const { signIn, sessionEnds: ends, signOut } = failurePageTexts;
    expect(Object.keys(signIn).sort()).toEqual([...signInFailures].sort());
    expect(Object.keys(ends).sort()).toEqual([...sessionEnds].sort());
    expect(Object.keys(signOut).sort()).toEqual([...signOutFailures].sort());
  });

  it('lists exactly the error codes of the programs', () => {
    expect(codes.length).toBeGreaterThan(20);
    expect(Object.keys(failureTexts).sort()).toEqual([...codes].sort());
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
