import { describe, expect, it } from '@jest/globals';
import { describeError } from '@mridang/nestjs-auth';
import { LogoutTokenRefused } from '../packages/nestjs-zitadel/src/client/oidc.errors.js';

const NASTY = 'x\n[Nest] FORGED\r\u001b[2J\u0085\u2028\u2029';

describe('describeError()', () => {
  it('escapes control characters in the messages and causes of an error', () => {
    const answer = { error: 'e', error_description: NASTY };
    const error = new LogoutTokenRefused({ cause: new TypeError(NASTY, { cause: answer }) });
    const text = describeError(error);
    // eslint-disable-next-line no-control-regex -- what must not be there
    expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(text.split('\n').map((line) => line.slice(0, 9))).toEqual(['LogoutTok', 'caused by', 'caused by']);
    expect(text).toContain(String.raw`x\n[Nest] FORGED\r\u001b[2J\u0085\u2028\u2029`);
  });

  it('escapes control characters in the stack, which repeats the message', () => {
    const lines = describeError(new Error(`${NASTY}\n    at forged (evil.js:1:1)`)).split('\n');
    expect(lines[0]).toContain('forged');
    expect(lines.slice(1).every((line) => /^ {4}at /.test(line))).toBe(true);
    expect(lines.slice(1).join()).not.toContain('forged');
    expect(lines.length).toBeGreaterThan(2);
  });

  it('limits the length to 700 characters', () => {
    expect(
      describeError(new LogoutTokenRefused({ cause: new TypeError('x'.repeat(5_000)) })).length,
    ).toBeLessThan(700);
  });

  it('includes the stack of unexpected errors only', () => {
    expect(describeError(new Error('oops'))).toMatch(/^Error: oops\n {4}at /);
    expect(describeError(new LogoutTokenRefused())).toBe(
      'LogoutTokenRefused: The logout token is not accepted',
    );
  });
});
