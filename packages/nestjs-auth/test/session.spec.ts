import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { Controller, Get, HttpCode, Redirect, Req, Res } from '@nestjs/common';
import { getToken } from '@auth/core/jwt';
import { CompactEncrypt } from 'jose';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  AuthSession,
  ProviderUnavailable,
  Public,
  SessionEnded,
  SessionService,
  type AuthenticatedRequest,
  type HttpResponse,
  type IAuthModuleOptions,
  type Session,
  type SessionRefresh,
  type SessionReload,
  type SessionRevocations,
  type SessionToken,
} from '../src/index.js';
import { packed } from '../src/session/packed-tokens.js';
import { SessionCodec } from '../src/session/session-codec.js';
import { bodyOf, program, secret, sessionCookies, TinyApp } from './support/tiny-app.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let app: TinyApp;
let log: string[];
beforeEach(() => {
  log = [];
});
afterEach(() => app?.close());

@Controller()
class Pages {
  constructor(private readonly sessions: SessionService) {}

  @Get('who')
  who(@AuthSession() session: Session) {
    return { id: session.user.id, name: session.user.name };
  }

  @Get('open')
  @Public()
  open(@AuthSession() session: Session | null) {
    return { id: session?.user.id ?? null };
  }

  @Get('moved')
  @Redirect('/elsewhere')
  moved() {
    return undefined;
  }

  @Get('nothing')
  @HttpCode(304)
  nothing() {
    return undefined;
  }

  @Get('slow')
  async slow() {
    await pause(300);
    return 'slow';
  }

  @Get('token')
  async token(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    return { token: (await this.sessions.freshToken(request, response))?.['at'] ?? null };
  }

  @Get('stored')
  @Public()
  async stored(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    return { token: (await this.sessions.token(request, response))?.['at'] ?? null };
  }

  @Get('renewed')
  async renewed(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    return { token: (await this.sessions.renewedToken(request, response))?.['at'] ?? null };
  }

  @Get('changed')
  async changed(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    await this.sessions.replace(request, response, (token) => Promise.resolve({ ...token, name: 'Changed' }));
    return { name: request.session?.user.name };
  }

  @Get('changed-openly')
  @Public()
  async changedOpenly(
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: HttpResponse,
  ) {
    const session = await this.sessions.replace(request, response, (token) => Promise.resolve(token));
    return { id: session?.user.id ?? null };
  }

  @Get('twice')
  @Public()
  async twice(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    const attempt = () => this.sessions.freshToken(request, response).then(String, String);
    return [await attempt(), await attempt()];
  }

  @Get('replaced')
  @Public()
  async replaced(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    await this.sessions.endReplaced(request, response);
    return 'replaced';
  }

  @Get('updated')
  async updated(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    await this.sessions.update(request, response, {});
    await pause(300);
    return 'updated';
  }

  @Get('out')
  @Public()
  async out(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    await this.sessions.load(request, response);
    const ended = await this.sessions.end(request, response);
    return { ended: ended?.sub ?? null, session: await this.sessions.load(request, response) };
  }
}

const start = async (auth: Partial<IAuthModuleOptions> = {}) =>
  (app = await TinyApp.start({ auth, controllers: [Pages], log }));

/** A session that was sealed `secondsAgo`. */
function cookieFrom(secondsAgo: number, token: SessionToken = { sub: 'u1' }): string {
  const now = Date.now();
  const clock = jest.spyOn(Date, 'now').mockReturnValue(now - secondsAgo * 1000);
  try {
    return app.cookie(token);
  } finally {
    clock.mockRestore();
  }
}

describe('reading a session', () => {
  it('replaces no session when there is none', async () => {
    await start();
    await app.get('/changed-openly').expect(200, { id: null });
    await app.get('/changed-openly', { cookie: app.cookie() }).expect(200, { id: 'u1' });
  });

  it('decrypts a cookie once and forgets it after its lifetime', async () => {
    await start({ session: { maxAge: 1 } });
    const open = jest.spyOn(SessionCodec.prototype, 'open');
    const cookie = app.cookie();
    await app.get('/who', { cookie }).expect(200);
    await app.get('/who', { cookie }).expect(200);
    await app.get('/open', { cookie }).expect(200, { id: 'u1' });
    expect(open).toHaveBeenCalledTimes(1);
    await pause(1_050);
    await app.get('/who', { cookie, ...program }).expect(401);
    open.mockRestore();
  });

  it('decrypts a cookie once for guard, handler and filter', async () => {
    await start();
    const open = jest.spyOn(SessionCodec.prototype, 'open');
    await app.get('/token', { cookie: app.cookie({ sub: 'u1', at: 'x' }) }).expect(200, { token: 'x' });
    expect(open).toHaveBeenCalledTimes(1);
    open.mockRestore();
  });

  it('returns no session for a changed cookie, which is deleted', async () => {
    await start();
    const cookie = app.cookie({ sub: 'u1', at: randomBytes(200).toString('base64url') });
    const { name } = app.resolved.sessionCookie;
    for (let round = 0; round < 50; round++) {
      const at = name.length + 1 + Math.floor(Math.random() * (cookie.length - name.length - 1));
      const changed = cookie.slice(0, at) + (cookie[at] === 'x' ? 'y' : 'x') + cookie.slice(at + 1);
      const answer = await app.get('/who', { cookie: changed, ...program });
      expect(answer.status).toBe(401);
      expect(sessionCookies(answer.headers)).toEqual({ [name]: '' });
    }
  });

  it('returns no session for the cookie of another application or an empty one', async () => {
    await start();
    const foreign = new SessionCodec({
      secrets: ['another secret that is long enough as well'],
      cookieName: app.resolved.sessionCookie.name,
      maxAgeSeconds: 60,
      maxLifetimeSeconds: 60,
    });
    await app.get('/who', { cookie: app.header(foreign.seal({ sub: 'u1' }).value), ...program }).expect(401);
    await app.get('/who', { cookie: `${app.resolved.sessionCookie.name}=`, ...program }).expect(401);
    await app.get('/who', { cookie: '=; ;;', ...program }).expect(401);
  });

  it('ignores chunks of a longer cookie that are left over', async () => {
    await start();
    const stray = `${app.resolved.sessionCookie.name}.0=left; ${app.resolved.sessionCookie.name}.7=behind`;
    await app.get('/who', { cookie: `${stray}; ${app.cookie()}` }).expect(200);
  });

  it('returns the session from /auth/session without the stored tokens', async () => {
    await start();
    const answer = await app.get('/auth/session', {
      cookie: app.cookie({ sub: 'u1', name: 'User', at: 'secret-token' }),
    });
    expect(answer.body).toEqual({
      user: { id: 'u1', name: 'User', email: null, image: null },
      expires: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(answer.headers['cache-control']).toContain('no-store');
    await app.get('/auth/session').expect(200, 'null');
  });

  it('returns a user without an id as a user with an empty id', async () => {
    await start();
    await app.get('/who', { cookie: app.cookie({}) }).expect(200, { id: '', name: null });
  });
});

describe('the callbacks of the application', () => {
  it('may change the session, which is then written', async () => {
    await start({ callbacks: { jwt: ({ token }) => ({ ...token, name: 'Changed' }) } });
    const { headers } = await app
      .get('/who', { cookie: app.cookie() })
      .expect(200, { id: 'u1', name: 'Changed' });
    const [value] = Object.values(sessionCookies(headers));
    expect(app.resolved.codec.open(value ?? '')).toMatchObject({ name: 'Changed' });
  });

  it('may change their argument in place', async () => {
    const jwt = ({ token }: { token: SessionToken }) => {
      token['seen'] = true;
      return token;
    };
    await start({ callbacks: { jwt: jwt } });
    const { headers } = await app.get('/who', { cookie: app.cookie() }).expect(200);
    expect(Object.keys(sessionCookies(headers))).toHaveLength(1);
  });

  it('may return the session unchanged, and then no cookie is written', async () => {
    await start({ callbacks: { jwt: ({ token }) => token } });
    const { headers } = await app.get('/who', { cookie: app.cookie() }).expect(200);
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('may omit the internal claims: the session keeps its id and its end', async () => {
    const jwt = ({ token }: { token: SessionToken }) => ({ sub: token.sub ?? '' });
    await start({ callbacks: { jwt: jwt }, session: { maxLifetime: 200 } });
    const first = cookieFrom(100, { sub: 'u1', name: 'User' });
    const { headers } = await app.get('/who', { cookie: first }).expect(200);
    const [second = ''] = Object.values(sessionCookies(headers));
    const [before, after] = [first.split('=')[1] ?? '', second].map((value) =>
      app.resolved.codec.open(value),
    );
    expect(after).toMatchObject({ jti: before?.jti, start: before?.start });
    expect((after?.exp ?? 0) - (after?.start ?? 0)).toBeCloseTo(200, 3);
    const again = await app.get('/who', { cookie: app.header(second) }).expect(200);
    expect(sessionCookies(again.headers)).toEqual({});
  });

  it('may update the session by POST /auth/session, as in Auth.js', async () => {
    const jwt = ({
      token,
      trigger,
      session,
    }: {
      token: SessionToken;
      trigger?: string;
      session?: object;
    }) => {
      if (trigger !== 'update') return token;
      return (session as { end?: boolean }).end ? null : { ...token, ...session };
    };
    await start({ callbacks: { jwt: jwt } });
    const form = await app.get('/auth/csrf').expect(200);
    const { headers } = form;
    const csrfToken = (bodyOf(form) as Record<string, unknown>)['csrfToken'];
    const csrf = String([headers['set-cookie']].flat()[0]).split(';')[0];
    const post = (data: object, cookie = app.cookie()) =>
      app.post('/auth/session', { csrfToken, data }, { cookie: `${csrf}; ${cookie}` });
    const changed = await post({ name: 'Other' }).expect(200);
    expect(changed.body).toMatchObject({ user: { id: 'u1', name: 'Other' } });
    const [value = ''] = Object.values(sessionCookies(changed.headers));
    await app.get('/who', { cookie: app.header(value) }).expect(200, { id: 'u1', name: 'Other' });
    const ended = await post({ end: true }).expect(200).expect('null');
    expect(sessionCookies(ended.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
    await post({ name: 'Other' }, 'a=b').expect(200).expect('null');
    await app.post('/auth/session', { data: {} }, { cookie: app.cookie() }).expect(403);
  });

  it('may end the session', async () => {
    await start({ callbacks: { jwt: () => null } });
    const answer = await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
  });

  it('may be asynchronous', async () => {
    await start({
      callbacks: {
        jwt: async ({ token }) => (await pause(1), { ...token, name: 'Later' }),
        session: async ({ session }) => (await pause(1), session),
      },
    });
    await app.get('/who', { cookie: app.cookie() }).expect(200, { id: 'u1', name: 'Later' });
  });

  it('may return any thenable', async () => {
    const later = { then: (done: (token: SessionToken) => void) => done({ sub: 'u2', name: 'Thenable' }) };
    await start({ callbacks: { jwt: () => later } });
    await app.get('/who', { cookie: app.cookie() }).expect(200, { id: 'u2', name: 'Thenable' });
  });

  it('may reject late, which leads to 401 and a log line', async () => {
    const session = async () => {
      await pause(1);
      throw new Error('No answer from the database');
    };
    await start({ callbacks: { session } });
    await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(log.join()).toContain('No answer from the database');
  });

  it('may throw, which leads to 401, a deleted cookie and a log line', async () => {
    const session = () => {
      throw new Error('This session is from an older version');
    };
    await start({ callbacks: { session } });
    const answer = await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
    expect(log.join()).toContain('from an older version');
    await app.get('/open', { cookie: app.cookie() }).expect(200, { id: null });
  });
});

describe('writing the session cookie', () => {
  it('slides the expiry after a tenth of the idle time', async () => {
    await start({ session: { maxAge: 100 } });
    expect((await app.get('/who', { cookie: cookieFrom(9) })).headers['set-cookie']).toBeUndefined();
    const { headers } = await app.get('/who', { cookie: cookieFrom(11) }).expect(200);
    expect(String(headers['set-cookie'])).toMatch(/Max-Age=100; Path=\/; HttpOnly; SameSite=Lax/);
  });

  it('slides the expiry after a minute at the latest', async () => {
    await start({ session: { maxAge: 86_400, maxLifetime: 86_400 } });
    expect((await app.get('/who', { cookie: cookieFrom(59) })).headers['set-cookie']).toBeUndefined();
    expect((await app.get('/who', { cookie: cookieFrom(61) })).headers['set-cookie']).toBeDefined();
  });

  it.each([
    ['/moved', 302],
    ['/nothing', 304],
    ['/nowhere-at-all', 404],
  ])('reaches the browser with the response to %s (%i)', async (path, status) => {
    await start();
    const { headers } = await app.get(path, { cookie: cookieFrom(61) }).expect(status);
    expect(Boolean(headers['set-cookie'])).toBe(status !== 404);
  });

  it('never slides the expiry beyond maxLifetime', async () => {
    await start({ session: { maxAge: 100, maxLifetime: 150 } });
    const { headers } = await app.get('/who', { cookie: cookieFrom(90) }).expect(200);
    expect(String(headers['set-cookie'])).toMatch(/Max-Age=60;/);
    await app
      .get('/who', { cookie: cookieFrom(90, { sub: 'u1', start: Date.now() / 1000 - 151 }), ...program })
      .expect(401);
  });

  it('limits Max-Age to the remaining lifetime of the session', async () => {
    await start({ session: { maxAge: 43_200, maxLifetime: 43_200 } });
    const { headers } = await app.get('/who', { cookie: cookieFrom(61) }).expect(200);
    expect(Number(/Max-Age=(\d+)/.exec(String(headers['set-cookie']))?.[1])).toBeLessThanOrEqual(43_140);
  });

  it('splits a long value into chunks and deletes them when it shrinks', async () => {
    const jwt = ({ token }: { token: SessionToken }) => (token['shrink'] ? { sub: 'u1' } : token);
    await start({ callbacks: { jwt: jwt } });
    const { name } = app.resolved.sessionCookie;
    const long = { sub: 'u1', filler: randomBytes(4_500).toString('base64url') };
    const slid = await app.get('/who', { cookie: cookieFrom(61, long) }).expect(200);
    const chunks = sessionCookies(slid.headers);
    expect(Object.keys(chunks)).toEqual([`${name}.0`, `${name}.1`]);
    for (const line of [slid.headers['set-cookie']].flat())
      expect(String(line).length).toBeLessThanOrEqual(4096);
    const cookie = Object.entries(chunks)
      .reverse()
      .map((pair) => pair.join('='))
      .join('; ');
    await app.get('/who', { cookie }).expect(200);

    const shrunk = await app.get('/who', { cookie: app.cookie({ ...long, shrink: true }) }).expect(200);
    expect(sessionCookies(shrunk.headers)).toEqual({
      [name]: expect.stringMatching(/./),
      [`${name}.0`]: '',
      [`${name}.1`]: '',
    });
  });

  it('splits a value as getToken() of Auth.js reads it', async () => {
    await start({ session: { maxCookies: 4 } });
    const large = { sub: 'u1', name: 'User', noise: randomBytes(6_000).toString('base64') };
    const { headers } = await app.get('/who', { cookie: cookieFrom(61, large) }).expect(200);
    const pieces = sessionCookies(headers);
    expect(Object.keys(pieces).length).toBeGreaterThan(1);
    const cookieName = app.resolved.sessionCookie.name;
    const read = await getToken({
      req: { headers: { cookie: new URLSearchParams(pieces).toString().replaceAll('&', '; ') } },
      cookieName,
      secret,
      decode: ({ token }) => Promise.resolve(app.resolved.codec.open(token ?? '')),
    });
    expect(read).toMatchObject(large);
  });

  it('drops a session that exceeds its cookies, with a log line', async () => {
    const jwt = ({ token }: { token: SessionToken }) => ({
      ...token,
      filler: randomBytes(9_000).toString('base64url'),
    });
    await start({ callbacks: { jwt: jwt } });
    await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(log.join()).toContain('Request fewer claims or roles');
  });

  it('refuses a value that could not be read back', async () => {
    await start({ session: { maxCookies: 4 } });
    const unfolding = 'x y '.repeat(75_000);
    expect(() => app.resolved.seal({ sub: 'u1', unfolding })).toThrow('The session takes');
    expect(() => app.resolved.seal({ sub: 'u1', long: randomBytes(12_000).toString('hex') })).toThrow(
      'The session takes',
    );
    await expect(start({ session: { maxCookies: 5 } })).rejects.toThrow('1 to 4');
  });

  it.each(['base', '/', '/base/', '//other.example', '/a/../b'])(
    'is refused with the malformed mountPath %s',
    async (mountPath) => {
      await expect(start({ mountPath })).rejects.toThrow('`mountPath` must be a path such as `/base`');
    },
  );

  it('encrypts with the first secret', async () => {
    const old = 'an old secret that is long enough to be one';
    await start({ secret: [secret, old] });
    const before = new SessionCodec({
      secrets: [old],
      cookieName: app.resolved.sessionCookie.name,
      maxAgeSeconds: 600,
      maxLifetimeSeconds: 600,
    });
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 61_000);
    const { value } = before.seal({ sub: 'u1' });
    clock.mockRestore();
    const { headers } = await app.get('/who', { cookie: app.header(value) }).expect(200);
    const [written] = Object.values(sessionCookies(headers));
    const now = new SessionCodec({
      secrets: [secret],
      cookieName: app.resolved.sessionCookie.name,
      maxAgeSeconds: 600,
      maxLifetimeSeconds: 600,
    });
    expect(now.open(written ?? '')).toMatchObject({ sub: 'u1' });
  });

  it('is withdrawn when the session ends in the same request', async () => {
    await start();
    const answer = await app
      .get('/out', { cookie: cookieFrom(61) })
      .expect(200, { ended: 'u1', session: null });
    expect([answer.headers['set-cookie']].flat()).toHaveLength(1);
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
  });

  it('deletes no cookie when there is none', async () => {
    await start();
    const answer = await app.get('/out').expect(200, { ended: null, session: null });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('sets Secure and the prefix __Host- on https', async () => {
    await start({ origin: 'https://app.example' });
    const { headers } = await app.get('/who', { cookie: cookieFrom(61) }).expect(200);
    expect(String(headers['set-cookie'])).toMatch(
      /^__Host-authjs\.session-token=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
  });
});

describe('the session cookie', () => {
  it.each([
    ['http://app.example', undefined, 'authjs.session-token', '/'],
    ['http://app.example:3000', undefined, 'authjs.session-token-3000', '/'],
    ['https://app.example', undefined, '__Host-authjs.session-token', '/'],
    ['https://app.example:443', undefined, '__Host-authjs.session-token', '/'],
    ['https://app.example:8443', undefined, '__Host-authjs.session-token-8443', '/'],
    ['https://app.example', '/base', '__Secure-authjs.session-token-base', '/base'],
    ['https://app.example:8443', '/team/app', '__Secure-authjs.session-token-8443-team-app', '/team/app'],
    ['http://app.example:3000', '/base', 'authjs.session-token-3000-base', '/base'],
  ])('has the port and the mountPath in its name and path: %s%s', async (origin, mountPath, name, path) => {
    await start({ origin, ...(mountPath ? { mountPath } : {}) });
    const { headers } = await app.get('/who', { cookie: cookieFrom(61) }).expect(200);
    await app.get('/open').expect(200, { id: null });
    const [line] = [headers['set-cookie']].flat();
    expect(line).toMatch(new RegExp(`^${name}=.*; Path=${path}; HttpOnly;`));
  });

  describe('of a version without the port in its name', () => {
    const name = 'authjs.session-token';
    async function former(more: Record<string, unknown> = {}) {
      const key = Buffer.from(hkdfSync('sha256', secret, name, 'nestjs-auth session A256GCM', 32));
      const kid = createHash('sha256').update(key).digest('base64url').slice(0, 8);
      const now = Date.now() / 1000;
      const token = { sub: 'u1', name: 'User', jti: 'a', start: now, iat: now, exp: now + 600, ...more };
      return new CompactEncrypt(packed(token))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid })
        .encrypt(key);
    }

    it('is read and renamed to the name with the port', async () => {
      await start();
      const { headers } = await app.get('/who', { cookie: `${name}=${await former()}` }).expect(200);
      expect(sessionCookies(headers)).toEqual({ [name]: '', [`${name}-3000`]: expect.any(String) });
    });

    it('is read from chunks', async () => {
      await start();
      const value = await former();
      const cookie = `${name}.0=${value.slice(0, 100)}; ${name}.1=${value.slice(100)}`;
      const { headers } = await app.get('/who', { cookie }).expect(200);
      expect(sessionCookies(headers)).toEqual({
        [`${name}.0`]: '',
        [`${name}.1`]: '',
        [`${name}-3000`]: expect.any(String),
      });
    });

    it.each(['/out', '/replaced'])('is deleted with the session: %s', async (path) => {
      await start();
      const answer = await app.get(path, { cookie: `${name}=${await former()}` }).expect(200);
      expect(sessionCookies(answer.headers)[name]).toBe('');
    });

    it('is not changed when another application of the host sealed it, with the same or another secret', async () => {
      await start();
      for (const value of [await former({ originPort: '' }), 'of-somebody-else']) {
        const { headers } = await app.get('/open', { cookie: `${name}=${value}` }).expect(200, { id: null });
        expect(sessionCookies(headers)).toEqual({});
      }
    });
  });
});

describe('the end of a session', () => {
  /** A store of ended sessions; `delayMs` makes it one that is asked over a network. */
  function store({ delayMs }: { delayMs?: number } = {}): SessionRevocations {
    const ended = new Set<unknown>();
    return {
      isRevoked: ({ jti }) =>
        delayMs === undefined ? ended.has(jti) : pause(delayMs).then(() => ended.has(jti)),
      ...(delayMs === undefined ? {} : { isKnownToBeRevoked: ({ jti }) => ended.has(jti) }),
      revoke: ({ jti }) => Promise.resolve(void ended.add(jti)),
    };
  }
  const failing = (isLate: boolean): SessionRevocations => ({
    isRevoked: () => {
      if (isLate) return Promise.reject(new Error('no connection'));
      throw new Error('no connection');
    },
    revoke: () => Promise.reject(new Error('no connection')),
  });

  it.each([{}, { delayMs: 5 }])('applies to every copy of the cookie (%j)', async (kind) => {
    await start({ revocations: store(kind) });
    const cookie = app.cookie();
    const other = app.cookie();
    await app.get('/who', { cookie }).expect(200);
    await app.get('/out', { cookie }).expect(200, { ended: 'u1', session: null });
    const refused = await app.get('/who', { cookie, ...program }).expect(401);
    expect(refused.body).toMatchObject({ reason: 'revoked' });
    // The browser may have the cookie of the next session by now.
    expect(sessionCookies(refused.headers)).toEqual({});
    await app.get('/open', { cookie }).expect(200, { id: null });
    await app.get('/auth/session', { cookie }).expect(200).expect('null');
    await app.get('/out', { cookie }).expect(200, { ended: null, session: null });
    await app.get('/who', { cookie: other }).expect(200);
  });

  it('follows a refused refresh and applies to every copy of the cookie', async () => {
    const refresh: SessionRefresh = {
      isDue: () => true,
      refresh: () => Promise.reject(new SessionEnded('refresh_rejected')),
    };
    await start({ revocations: store(), refresh });
    const cookie = app.cookie();
    await app.get('/open', { cookie }).expect(200, { id: 'u1' });
    await app.get('/who', { cookie, ...program }).expect(401);
    await app.get('/open', { cookie }).expect(200, { id: null });
  });

  it.each([
    [true, 1],
    [false, 0],
  ])('deletes the cookie and is reported where it was not ended before: %s', async (isFirst, count) => {
    const reported: unknown[] = [];
    await start({
      revocations: { isRevoked: () => false, revoke: () => Promise.resolve(isFirst) },
      refresh: {
        isDue: () => true,
        refresh: () => Promise.reject(new SessionEnded('refresh_rejected')),
      },
      observer: {
        signedIn: () => undefined,
        signInFailed: () => undefined,
        sessionEnded: ({ sub }) => void reported.push(sub),
      },
    });
    const cookie = app.cookie();
    const { headers } = await app.get('/who', { cookie, ...program }).expect(401);
    expect(Object.values(sessionCookies(headers))).toEqual(Array(count).fill(''));
    // A second request with the same cookie has no second line.
    await app.get('/who', { cookie, ...program }).expect(401);
    expect(reported).toEqual(Array(count).fill('u1'));
  });

  it.each([{}, { delayMs: 5 }])('withdraws the cookie of a slow response (%j)', async (kind) => {
    const revocations = store(kind);
    const refresh: SessionRefresh = {
      isDue: ({ at }) => at === 'old',
      refresh: (token) => Promise.resolve({ ...token, at: 'new' }),
    };
    await start({ revocations, refresh });
    for (const cookie of [cookieFrom(61), app.cookie({ sub: 'u1', at: 'old' })]) {
      const slow = app.get('/slow', { cookie }).expect(200).then();
      await pause(100);
      await app.get('/out', { cookie }).expect(200);
      expect(sessionCookies((await slow).headers)).toEqual({});
    }
  });

  it('withdraws the cookie of an update whose session ends before the response is sent', async () => {
    const jwt = ({ token }: { token: SessionToken }) => ({ ...token, name: 'Updated' });
    await start({ revocations: store(), callbacks: { jwt } });
    const cookie = app.cookie();
    const updated = app.get('/updated', { cookie }).expect(200).then();
    await pause(100);
    await app.get('/out', { cookie }).expect(200);
    expect(sessionCookies((await updated).headers)).toEqual({});
  });

  it.each([true, false])('withdraws no cookie without revocations (late: %s)', async (isLate) => {
    let questions = 0;
    const down = failing(isLate);
    const revocations: SessionRevocations = {
      isRevoked: (token) => (questions++ > 0 ? down.isRevoked(token) : false),
      revoke: () => Promise.resolve(),
    };
    await start({ revocations });
    const { headers } = await app.get('/slow', { cookie: cookieFrom(61) }).expect(200);
    expect(Object.keys(sessionCookies(headers))).toHaveLength(1);
    expect(questions).toBe(2);
  });

  it('applies to later cookies of the same session', async () => {
    await start({ revocations: store() });
    const first = cookieFrom(61);
    const { headers } = await app.get('/who', { cookie: first }).expect(200);
    const [second = ''] = Object.values(sessionCookies(headers));
    await app.get('/out', { cookie: first }).expect(200);
    await app.get('/who', { cookie: app.header(second), ...program }).expect(401);
  });

  it.each([true, false])(
    'leads to 503 and keeps the cookie when the revocations cannot be read (late: %s)',
    async (isLate) => {
      await start({ revocations: failing(isLate) });
      const cookie = app.cookie();
      const answer = await app.get('/who', { cookie, ...program }).expect(503);
      expect(answer.body).toMatchObject({ code: 'AUTH_SESSIONS_UNAVAILABLE' });
      expect(sessionCookies(answer.headers)).toEqual({});
      await app.get('/token', { cookie }).expect(503);
      await app.get('/stored', { cookie }).expect(503);
      await app.get('/auth/session', { cookie }).expect(503);
      await app.get('/open', { cookie }).expect(200, { id: null });
      expect(log.join()).toContain('no connection');
    },
  );

  it('deletes the cookie even if it cannot be stored', async () => {
    await start({ revocations: failing(true) });
    const { headers } = await app
      .get('/out', { cookie: app.cookie() })
      .expect(200, { ended: 'u1', session: null });
    expect(sessionCookies(headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
    expect(log.join()).toContain('Could not store the end of a session');
  });

  it('applies to the session that a sign-in replaces', async () => {
    await start({ revocations: store() });
    const cookie = app.cookie();
    const { headers } = await app.get('/replaced', { cookie }).expect(200);
    expect(sessionCookies(headers)).toEqual({});
    await app.get('/who', { cookie, ...program }).expect(401);
    await app.get('/replaced').expect(200);
  });

  it('is possible without a session', async () => {
    await start({ revocations: store() });
    await app.get('/out').expect(200, { ended: null, session: null });
  });
});

describe('refreshing the tokens of a session', () => {
  /** A provider that counts. `at` is the access token; `old` is due. */
  function provider(
    answer: (token: SessionToken) => Promise<SessionToken> | SessionToken,
  ): SessionRefresh & { calls: number } {
    return {
      calls: 0,
      isDue: ({ at }) => at === 'old',
      async refresh(token) {
        this.calls++;
        return answer(token);
      },
    };
  }
  const old = { sub: 'u1', at: 'old' };
  const renewing = () => provider((token) => ({ ...token, at: 'new' }));
  const failing = (error: Error) =>
    provider(() => {
      throw error;
    });

  it('happens on guarded routes and sets the new cookie', async () => {
    const refresh = renewing();
    await start({ refresh });
    const { headers } = await app.get('/who', { cookie: app.cookie(old) }).expect(200);
    const [value] = Object.values(sessionCookies(headers));
    expect(app.resolved.codec.open(value ?? '')).toMatchObject({ at: 'new' });
    await app.get('/who', { cookie: app.header(value ?? '') }).expect(200);
    expect(refresh.calls).toBe(1);
  });

  it('gives handlers the new tokens and happens once per request', async () => {
    const refresh = renewing();
    await start({ refresh });
    await app.get('/token', { cookie: app.cookie(old) }).expect(200, { token: 'new' });
    expect(refresh.calls).toBe(1);
  });

  it('happens on demand by renewedToken()', async () => {
    const refresh = renewing();
    await start({ refresh });
    await app
      .get('/renewed', { cookie: app.cookie({ sub: 'u1', at: 'revoked' }) })
      .expect(200, { token: 'new' });
    expect(refresh.calls).toBe(1);
    await app.get('/renewed', { ...program }).expect(401);
  });

  it('does not happen on public routes', async () => {
    const refresh = renewing();
    await start({ refresh });
    await app.get('/open', { cookie: app.cookie(old) }).expect(200, { id: 'u1' });
    await app.get('/stored', { cookie: app.cookie(old) }).expect(200, { token: 'old' });
    await app.get('/auth/session', { cookie: app.cookie(old) }).expect(200);
    expect(refresh.calls).toBe(0);
  });

  it('does not end the session when the provider is unreachable, and freshToken() leads to 503', async () => {
    await start({ refresh: failing(new ProviderUnavailable()) });
    const { headers } = await app.get('/who', { cookie: app.cookie(old) }).expect(200);
    expect(headers['set-cookie']).toBeUndefined();
    await app.get('/token', { cookie: app.cookie(old) }).expect(503);
  });

  it('ends the session with a reason when the provider refuses it', async () => {
    await start({ refresh: failing(new SessionEnded('refresh_rejected')) });
    const answer = await app.get('/who', { cookie: app.cookie(old), ...program }).expect(401);
    expect(answer.body).toMatchObject({ code: 'AUTH_SESSION_ENDED', reason: 'refresh_rejected' });
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
    const page = await app.page('/who?a=1', { cookie: app.cookie(old) }).expect(302);
    expect(page.headers['location']).toBe('/auth/signin?callbackUrl=%2Fwho%3Fa%3D1&reason=refresh_rejected');
    expect(log.join()).toContain('A session has ended');
  });

  it('ends the session when renewedToken() in a handler fails', async () => {
    await start({ refresh: failing(new SessionEnded('no_refresh')) });
    const answer = await app
      .get('/renewed', { cookie: app.cookie({ sub: 'u1', at: 'x' }), ...program })
      .expect(401);
    expect(answer.body).toMatchObject({ reason: 'no_refresh', loginUrl: '/auth/signin' });
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
  });

  it('stays refused for the rest of the request', async () => {
    const refresh = failing(new SessionEnded('refresh_rejected'));
    await start({ refresh });
    const body = bodyOf(await app.get('/twice', { cookie: app.cookie(old) }).expect(200));
    expect(body).toEqual([expect.stringContaining('SessionEnded'), expect.stringContaining('SessionEnded')]);
  });

  it('ends the session when the application has no refresh', async () => {
    await start();
    await app.get('/token', { cookie: app.cookie(old) }).expect(200, { token: 'old' });
    await app.get('/renewed', { cookie: app.cookie(old), ...program }).expect(401);
  });

  it('results in 500 for other errors', async () => {
    await start({ refresh: failing(new TypeError('a bug')) });
    await app.get('/who', { cookie: app.cookie(old) }).expect(500);
  });

  describe('while the cookie is due to slide', () => {
    /** A provider as it really is: what was exchanged for something else is superseded. */
    function rotating(answer: (token: SessionToken) => SessionToken): SessionRefresh {
      const used = new Set<unknown>();
      return {
        isDue: ({ at }) => at === 'old',
        refresh: (token) =>
          Promise.resolve(token)
            .then(answer)
            .then((renewed) => {
              used.add(token['at']);
              return renewed;
            }),
        isSuperseded: ({ at }) => used.has(at),
      };
    }

    it('sends the refreshed cookie', async () => {
      await start({ refresh: rotating((token) => ({ ...token, at: 'new' })) });
      const { headers } = await app.get('/who', { cookie: cookieFrom(61, old) }).expect(200);
      const [value] = Object.values(sessionCookies(headers));
      expect(app.resolved.codec.open(value ?? '')).toMatchObject({ at: 'new' });
    });

    it('deletes the cookie when the refresh is refused', async () => {
      const refused = () => {
        throw new SessionEnded('refresh_rejected');
      };
      await start({ refresh: { ...rotating(refused), isSuperseded: () => true } });
      const answer = await app.get('/who', { cookie: cookieFrom(61, old), ...program }).expect(401);
      expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
    });

    it('deletes the cookie when the session ends with superseded tokens', async () => {
      await start({ refresh: { ...renewing(), isDue: () => false, isSuperseded: () => true } });
      const answer = await app.get('/out', { cookie: cookieFrom(61) }).expect(200);
      expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
    });

    it('does not change the cookie on a public page', async () => {
      await start({ refresh: rotating((token) => ({ ...token, at: 'new' })) });
      const { headers } = await app.get('/open', { cookie: cookieFrom(61, old) }).expect(200);
      expect(sessionCookies(headers)).toEqual({});
    });

    it('slides the cookie when the provider is unreachable', async () => {
      const unreachable = () => {
        throw new ProviderUnavailable();
      };
      await start({ refresh: rotating(unreachable) });
      const { headers } = await app.get('/who', { cookie: cookieFrom(61, old) }).expect(200);
      expect(Object.values(sessionCookies(headers))).toEqual([expect.stringMatching(/./)]);
    });
  });

  it.each([
    [
      'do not fit',
      { refresh: provider((token) => ({ ...token, filler: randomBytes(9_000).toString('base64url') })) },
    ],
    [
      'are refused by a callback',
      {
        refresh: renewing(),
        callbacks: {
          session: ({ session, token }: { session: Session; token: SessionToken }) => {
            if (token['at'] === 'new') throw new Error('Not for me');
            return session;
          },
        } as never,
      },
    ],
  ])('ends the session when the new tokens %s', async (_name, auth) => {
    await start(auth);
    const answer = await app.get('/who', { cookie: app.cookie(old), ...program }).expect(401);
    expect(bodyOf(answer)).toMatchObject({ reason: 'unusable' });
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
  });

  it('is not undone by a late response with old tokens', async () => {
    let isSuperseded = false;
    await start({ refresh: { ...renewing(), isDue: () => false, isSuperseded: () => isSuperseded } });
    const late = app.get('/slow', { cookie: cookieFrom(61) }).then((answer) => answer);
    await pause(100);
    isSuperseded = true;
    expect(sessionCookies((await late).headers)).toEqual({});
    isSuperseded = false;
    expect(
      Object.keys(sessionCookies((await app.get('/slow', { cookie: cookieFrom(61) })).headers)),
    ).toHaveLength(1);
  });
});

describe('an update of a session', () => {
  it.each([
    ['keeps what it changes beside refreshed tokens, which a later request finds', 'refresh', 1],
    ['does not undo a reload of its user', 'reload', 0],
  ] as const)('%s', async (_what, option, count) => {
    let isSuperseded = false;
    const never = { isDue: () => false, isSuperseded: () => isSuperseded };
    const refresh = { ...never, refresh: (token: SessionToken) => Promise.resolve(token) };
    const reload = { ...never, reload: (token: SessionToken) => Promise.resolve(token) };
    await start(option === 'refresh' ? { refresh } : { reload });
    const updated = app.get('/updated', { cookie: app.cookie() }).expect(200).then();
    await pause(100);
    isSuperseded = true;
    expect(Object.keys(sessionCookies((await updated).headers))).toHaveLength(count);
  });
});

describe('reloading the user of a session', () => {
  const named = (name: string, is: Partial<SessionReload> = {}): SessionReload => ({
    isDue: (token) => token.name !== name,
    reload: (token) => Promise.resolve({ ...token, name }),
    ...is,
  });

  it('happens on guarded routes before the handler, and the cookie is set', async () => {
    await start({ reload: named('Later') });
    const cookie = app.cookie({ sub: 'u1', name: 'Sooner' });
    const open = await app.get('/open', { cookie }).expect(200);
    expect(sessionCookies(open.headers)).toEqual({});
    const { headers } = await app.get('/who', { cookie }).expect(200, { id: 'u1', name: 'Later' });
    const [value = ''] = Object.values(sessionCookies(headers));
    expect(app.resolved.codec.open(value)).toMatchObject({ sub: 'u1', name: 'Later' });
  });

  it('keeps the session unchanged when the provider returns nothing new or is unreachable', async () => {
    await start({
      reload: named('Later', { reload: (token) => Promise.resolve(token) }),
    });
    const { headers } = await app
      .get('/who', { cookie: app.cookie({ sub: 'u1', name: 'Sooner' }) })
      .expect(200, { id: 'u1', name: 'Sooner' });
    expect(sessionCookies(headers)).toEqual({});
    await app.close();
    await start({ reload: named('Later', { reload: () => Promise.reject(new ProviderUnavailable()) }) });
    await app
      .get('/who', { cookie: app.cookie({ sub: 'u1', name: 'Sooner' }) })
      .expect(200, { id: 'u1', name: 'Sooner' });
  });

  it('ends the session when the provider has ended it', async () => {
    const ended = () => Promise.reject(new SessionEnded('revoked'));
    await start({ reload: named('Later', { reload: ended }) });
    const answer = await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(bodyOf(answer)).toMatchObject({ reason: 'revoked' });
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
  });

  it('ends the session when the result is too large for the cookie', async () => {
    const filler = randomBytes(9_000).toString('base64url');
    await start({ reload: named('Later', { reload: (token) => Promise.resolve({ ...token, filler }) }) });
    const answer = await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(bodyOf(answer)).toMatchObject({ reason: 'unusable' });
  });

  it('happens after the tokens were refreshed', async () => {
    const refresh: SessionRefresh = {
      isDue: (token) => token['at'] !== 'new',
      refresh: (token) => Promise.resolve({ ...token, at: 'new' }),
    };
    const reload = named('Later', {
      reload: (token) => Promise.resolve({ ...token, name: 'Later', read: token['at'] }),
    });
    await start({ refresh, reload });
    const { headers } = await app.get('/who', { cookie: app.cookie() }).expect(200);
    const [value = ''] = Object.values(sessionCookies(headers));
    expect(app.resolved.codec.open(value)).toMatchObject({ at: 'new', read: 'new', name: 'Later' });
  });

  it('is not undone by a sliding cookie of an older request', async () => {
    await start({ reload: named('User', { isSuperseded: ({ name }) => name === 'Sooner' }) });
    const { headers } = await app.get('/open', { cookie: cookieFrom(61, { sub: 'u1', name: 'Sooner' }) });
    expect(sessionCookies(headers)).toEqual({});
  });

  it('can be done by a handler, which gets the new session', async () => {
    await start();
    const { headers } = await app.get('/changed', { cookie: app.cookie() }).expect(200, { name: 'Changed' });
    const [value = ''] = Object.values(sessionCookies(headers));
    expect(app.resolved.codec.open(value)).toMatchObject({ name: 'Changed' });
  });
});

describe('the tokens of a session', () => {
  it('are passed to discard() when it is ended, replaced, refused or found ended', async () => {
    const given: unknown[] = [];
    const ended = new Set<unknown>();
    await start({
      discard: ({ sub }) => void given.push(sub),
      revocations: {
        isRevoked: ({ sub }) => ended.has(sub),
        revoke: () => Promise.resolve(),
      },
      refresh: {
        isDue: ({ sub }) => sub === 'refused',
        refresh: () => Promise.reject(new SessionEnded('refresh_rejected')),
      },
    });
    const cookieOf = (sub: string) => ({ cookie: app.cookie({ sub }), ...program });
    await app.get('/who', cookieOf('alive')).expect(200);
    expect(given).toEqual([]);
    await app.get('/out', cookieOf('out')).expect(200);
    await app.get('/replaced', cookieOf('replaced')).expect(200);
    await app.get('/who', cookieOf('refused')).expect(401);
    ended.add('elsewhere');
    await app.get('/open', cookieOf('elsewhere')).expect(200);
    expect(given).toEqual(['out', 'replaced', 'refused', 'elsewhere']);
  });
});

describe('a callback that changes what it is given', () => {
  it.each([
    ['jwt', ({ token }: { token: { list: string[] } }) => (token.list.push('b'), token)],
    [
      'session',
      ({ session, token }: { session: object; token: { list: string[] } }) => {
        token.list[0] = 'b';
        return session;
      },
    ],
  ])('is named in the log, with the rule: %s', async (name, callback) => {
    const log: string[] = [];
    app = await TinyApp.start({ auth: { callbacks: { [name]: callback } }, controllers: [Pages], log });
    await app.get('/who', { cookie: app.cookie({ sub: 'u1', list: ['a'] }), ...program });
    expect(log.join('\n')).toContain(
      `in the callback \`${name}\`. It must not change what it is given, but a copy`,
    );
  });
});
