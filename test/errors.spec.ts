import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sessionEndMessages, signInMessages, signOutMessages, type Message } from '../src/auth/messages.js';
import { en } from '../src/texts/en.js';
import { explanationFor, explanationsByCode } from '../src/web/explanations.js';
import { SignInFailed, type SignInFailure } from '@mridang/nestjs-auth';

const page = readFileSync('docs/errors.md', 'utf8');

/** The rows of the table below a heading: name → status, if it names one. */
function documented(heading: string): Record<string, number | undefined> {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` +\| (\d*) *\| (.+?) *\| .*\|$/gm)];
  return Object.fromEntries(rows.map(([, name = '', status]) => [name, status ? Number(status) : undefined]));
}

const statuses = (messages: Record<string, Message>) =>
  Object.fromEntries(Object.entries(messages).map(([name, { status }]) => [name, status]));

/** Every `readonly code = '…'` of the web application and its module. */
function codesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^(api|bearer)/.test(file))
    .flatMap((file) => [
      ...readFileSync(join(folder, file), 'utf8').matchAll(/readonly code(?:: string)? = '(\w+)'/g),
    ])
    .map(([, code = '']) => code);
}
const codes = [
  ...codesIn('src'),
  ...codesIn('packages/nestjs-auth/src'),
  ...codesIn('packages/nestjs-zitadel/src'),
];

describe('docs/errors.md', () => {
  it('has every reason of a failed sign-in, with its status', () => {
    expect(documented('Sign-in')).toEqual(statuses(signInMessages));
  });

  it('has every reason a session ends for', () => {
    expect(Object.keys(documented('The end of a session')).sort()).toEqual(
      Object.keys(sessionEndMessages).sort(),
    );
  });

  it('has every reason of a failed sign-out, with its status', () => {
    expect(documented('Sign-out')).toEqual(statuses(signOutMessages));
  });

  it('has every code, and no other', () => {
    expect(codes.length).toBeGreaterThan(10);
    expect(Object.keys(documented('Codes')).sort()).toEqual([...codes].sort());
  });
});

describe('what a person reads', () => {
  it('is a sentence of its own for every reason', () => {
    const pages: Record<string, Message>[] = [signInMessages, signOutMessages];
    for (const messages of pages) {
      const texts = Object.values(messages).map(({ text }) => en[text]);
      expect(new Set(texts).size).toBe(texts.length);
    }
    const titles = Object.values(signInMessages).map(({ title }) => en[title]);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('has the status a program gets', () => {
    for (const [reason, { status }] of Object.entries(signInMessages)) {
      expect(new SignInFailed(reason as SignInFailure).getStatus()).toBe(status);
    }
  });

  it('is something for any status, and more for codes that exist', () => {
    for (const code of explanationsByCode.keys()) expect(codes).toContain(code);
    expect(en[explanationFor(503, undefined).title]).toContain('cannot be reached');
    expect(en[explanationFor(503, 'AUTH_SESSIONS_UNAVAILABLE').title]).toContain('session');
    expect(explanationFor(418, 'SOMETHING_ELSE')).toEqual(explanationFor(400, undefined));
    expect(en[explanationFor(599, undefined).title]).toBe('Something went wrong');
  });
});
