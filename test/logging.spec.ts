import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from 'zitadel-sandbox';
import { RedactingLogger } from '@mridang/nestjs-zitadel';
import { Browser } from './support/browser.js';
import type { RunningProgram } from './support/run-program.js';
import { signIn } from './support/sign-in.js';
import { startProduction } from './support/start-production.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const part = (text: string) => Buffer.from(text).toString('base64url');
const jwt = `${part('{"alg":"RS256"}')}.${part('{"sub":"canary"}')}.${part('canary-signature')}`;

/** The secret that must not be in the line, and a text that contains it. */
const canaries: [secret: string, text: string][] = [
  [jwt, `refused ${jwt} today`],
  [jwt.slice(0, 30), `refused ${jwt.slice(0, 30)}… today`],
  [`${jwt}..x.y`, `refused ${jwt}..x.y today`],
  ['V2_320000000000000001', 'refused V2_320000000000000001 today'],
  ['320000000000000002', 'refused V2_320000000000000001-at_320000000000000002 today'],
  ['canarycanary', 'refused __Host-authjs.session-token.0=canarycanary; a=b today'],
  ['canary%7Ccanary', 'refused authjs.csrf-token=canary%7Ccanary today'],
  ['canary.canary.canary', 'refused Authorization: Bearer canary.canary.canary today'],
  ['Y2FuYXJ5OmNhbmFyeQ==', 'refused basic Y2FuYXJ5OmNhbmFyeQ== today'],
  ['canary', 'refused /auth/callback?code=canary&state=canary today'],
  ['canary', 'refused redis://user:canary@redis:6379 today'],
  [pem.split('\n')[1] ?? '', `refused ${pem} today`],
  [pem.slice(40, 60), `refused ${pem.slice(0, 90)}… today`],
  [pem.slice(40, 60), `refused ${JSON.stringify({ key: pem })} today`],
];

const secretNames = ['Authorization', 'cookie', 'Set-Cookie', 'access_token', 'clientSecret', 'password'];

function sayNames(logger: RedactingLogger) {
  for (const name of secretNames) {
    logger.log('x', { [name]: 'canary' }, 'Test');
    logger.log('x', { request: { headers: { [name]: ['canary'] } } }, 'Test');
    logger.log('x', { a: [{ b: { c: { d: { [name]: 'canary' } } } }] }, 'Test');
    logger.log({ a: { [name]: 'canary' } }, 'Test');
  }
}

function production() {
  const lines: string[] = [];
  const write = (part: unknown) => (lines.push(String(part)), true);
  jest.spyOn(process.stdout, 'write').mockImplementation(write);
  jest.spyOn(process.stderr, 'write').mockImplementation(write);
  return { logger: new RedactingLogger({ production: true, logLevel: 'debug' }), lines };
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a log line in production', () => {
  it.each(canaries)('does not contain the secret %s', (secret, text) => {
    const { logger, lines } = production();
    logger.warn(text, 'Test');
    logger.error(new Error(text), 'Test');
    logger.log({ given: text }, 'Test');
    logger.log('refused today', { given: text, deep: { given: [text] } }, 'Test');
    logger.log(text.replace(' ', '\n'), 'Test');
    expect(lines).toHaveLength(5);
    for (const line of lines) {
      expect(line).not.toContain(secret);
      expect(JSON.stringify(JSON.parse(line))).toMatch(/refused.*today/);
    }
  });

  it('does not contain the value of a field with the name of a secret', () => {
    const { logger, lines } = production();
    sayNames(logger);
    expect(lines).toHaveLength(secretNames.length * 4);
    expect(lines.join('')).not.toContain('canary');
  });

  it('is one line of JSON with level, time and context', () => {
    const { logger, lines } = production();
    logger.log('two\nlines', { event: 'a.name' }, 'Test');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
      context: 'Test',
      event: 'a.name',
      msg: 'two\nlines',
    });
  });
});

describe('a log line in development', () => {
  it.each(canaries)('does not contain the secret %s', (secret, text) => {
    let said = '';
    const write = (part: unknown) => ((said += String(part)), true);
    jest.spyOn(process.stdout, 'write').mockImplementation(write);
    jest.spyOn(process.stderr, 'write').mockImplementation(write);
    const logger = new RedactingLogger({ production: false, logLevel: 'debug' });
    logger.warn(text, { given: text }, 'Test');
    logger.error(text, `Error: ${text}\n    at x (y.js:1:1)`, 'Test');
    jest.restoreAllMocks();
    expect(said).toMatch(/refused/);
    expect(said).not.toContain(secret);
  });

  it('does not contain the value of a field with the name of a secret', () => {
    let said = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((part: unknown) => ((said += String(part)), true));
    sayNames(new RedactingLogger({ production: false, logLevel: 'debug' }));
    jest.restoreAllMocks();
    expect(said).toContain('redacted');
    expect(said).not.toContain('canary');
  });
});

describe('the events of a sign-in and a sign-out', () => {
  let program: RunningProgram;
  let sandbox: Sandbox;
  afterEach(async () => {
    await program.stop('SIGKILL');
    await sandbox.close();
  });

  it('are logged with the request id and pseudonyms, and without user data', async () => {
    const running = await startProduction({ LOG_LEVEL: 'debug' });
    ({ program, sandbox } = running);
    const { origin } = running;
    const browser = new Browser(origin);
    await signIn(browser, 'alice@acme.example');
    await browser.get('/auth/callback?code=canary-code&state=y', { 'x-request-id': 'failed-1' });
    const { sub } = JSON.parse((await browser.get('/auth/userinfo')).text) as { sub: string };
    const profile = await browser.get('/profile', { 'x-request-id': 'profile-1' });
    await browser.submit(profile, 'main form[action="/auth/logout"]');
    await program.says('"logout"');
    await program.stop();

    const lines = program
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    const eventOf = (name: string) => lines.find(({ event }) => event === name);
    const who: unknown = expect.stringMatching(/^[\w-]{12}$/);
    expect(eventOf('login.succeeded')).toMatchObject({ level: 'info', user: who, session: who });
    expect(eventOf('login.failed')).toMatchObject({
      level: 'warn',
      reqId: 'failed-1',
      reason: 'state_invalid',
    });
    expect(eventOf('logout')).toMatchObject({
      kind: 'user',
      result: 'done',
      user: eventOf('login.succeeded')?.['user'],
      session: eventOf('login.succeeded')?.['session'],
    });
    expect(lines.find(({ reqId }) => reqId === 'profile-1')).toMatchObject({ route: '/profile' });
    expect(program.output()).not.toMatch(/alice|archer|canary|eyJ/i);
    expect(sub).toMatch(/^\d+$/);
    expect(program.output()).not.toContain(sub);
  });
});
