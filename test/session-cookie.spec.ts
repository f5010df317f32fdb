import { describe, expect, it } from '@jest/globals';
import { refusalOf, refused } from './support/refusal.js';
import { signIn } from './support/sign-in.js';
import { startApp } from './support/start-app.js';

const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make);

describe('the session cookie', () => {
  const roles = times(100, () => '').map((_, index) => `project-role-${index}`);

  it.each([
    ['opaque tokens', { accessTokenType: 'opaque' }],
    [
      'JWTs with 100 roles each',
      {
        accessTokenType: 'jwt',
        idTokenRoleAssertion: true,
        accessTokenRoleAssertion: true,
        idTokenUserinfo: true,
      },
    ],
  ] as const)('is one cookie below 4096 bytes with %s', async (_name, web) => {
    const big = await startApp({ sandbox: { web, users: [{ loginName: 'many@acme.example', roles }] } });
    try {
      const browser = big.browser();
      const profile = await signIn(browser, 'many@acme.example');
      expect(profile.text).toContain('project-role-99');
      const sessions = (await browser.cookies()).filter(({ key }) => key.includes('session-token'));
      expect(sessions).toHaveLength(1);
      expect(sessions[0]?.toString().length).toBeLessThan(4096);
      expect((await browser.get('/auth/userinfo')).text).toContain('project-role-99');
      expect((await browser.submit(profile, 'main form[action="/auth/logout"]')).url.pathname).toBe(
        '/auth/logout/success',
      );
    } finally {
      await big.close();
    }
  });

  it('does not contain metadata with ZITADEL_USER_METADATA=false', async () => {
    const metadata = Object.fromEntries(
      times(40, () => [crypto.randomUUID(), crypto.randomUUID().repeat(4)]),
    );
    const big = await startApp({
      env: { ZITADEL_USER_METADATA: 'false' },
      sandbox: { users: [{ loginName: 'large@acme.example', metadata }] },
    });
    try {
      const browser = big.browser();
      const page = await signIn(browser, 'large@acme.example');
      expect(page.url.pathname).toBe('/profile');
      expect((await browser.get('/auth/userinfo')).text).not.toContain('metadata');
    } finally {
      await big.close();
    }
  });

  it('is not set when the session is too large: the sign-in fails, and the log names the largest claim', async () => {
    const incompressible = () => times(4, () => crypto.randomUUID()).join('');
    const metadata = Object.fromEntries(times(40, () => [crypto.randomUUID(), incompressible()]));
    const log: string[] = [];
    const big = await startApp({ log, sandbox: { users: [{ loginName: 'large@acme.example', metadata }] } });
    try {
      const page = await signIn(big.browser(), 'large@acme.example');
      expect(refusalOf(page)).toEqual(refused('session_too_large'));
      expect(log.join()).toMatch(/The largest: .*metadata \(\d{4,}\)/);
    } finally {
      await big.close();
    }
  });
});
