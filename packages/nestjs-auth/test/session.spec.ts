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

describe('reading', () => {
  it('replaces nothing where nobody is signed in', async () => {
    await start();
    await app.get('/changed-openly').expect(200, { id: null });
    await app.get('/changed-openly', { cookie: app.cookie() }).expect(200, { id: 'u1' });
  });

  it('decrypts a cookie once, and remembers it no longer than it lives', async () => {
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

  it('takes what was tampered with for no session, and removes it', async () => {
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

  it('takes the cookie of another program, or an empty one, for no session', async () => {
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

  it('is not confused by pieces of a longer cookie that were left behind', async () => {
    await start();
    const stray = `${app.resolved.sessionCookie.name}.0=left; ${app.resolved.sessionCookie.name}.7=behind`;
    await app.get('/who', { cookie: `${stray}; ${app.cookie()}` }).expect(200);
  });

  it('shows the session, without what it holds besides', async () => {
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

  it('names a user without an id by nothing', async () => {
    await start();
    await app.get('/who', { cookie: app.cookie({}) }).expect(200, { id: '', name: null });
  });
});

describe('the callbacks of the program', () => {
  it('may change the session, which is then written', async () => {
    await start({ callbacks: { jwt: ({ token }) => ({ ...token, name: 'Changed' }) } });
    const { headers } = await app
      .get('/who', { cookie: app.cookie() })
      .expect(200, { id: 'u1', name: 'Changed' });
    const [value] = Object.values(sessionCookies(headers));
    expect(app.resolved.codec.open(value ?? '')).toMatchObject({ name: 'Changed' });
  });

  it('may change what they were given', async () => {
    const jwt = ({ token }: { token: SessionToken }) => {
      token['seen'] = true;
      return token;
    };
    await start({ callbacks: { jwt: jwt } });
    const { headers } = await app.get('/who', { cookie: app.cookie() }).expect(200);
    expect(Object.keys(sessionCookies(headers))).toHaveLength(1);
  });

  it('may leave it as it is, and then nothing is written', async () => {
    await start({ callbacks: { jwt: ({ token }) => token } });
    const { headers } = await app.get('/who', { cookie: app.cookie() }).expect(200);
    expect(headers['set-cookie']).toBeUndefined();
  });

  it("may leave out what is the module's own: a session keeps its name and its end", async () => {
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

  it('may change it on demand, as Auth.js has it', async () => {
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

  it('may end it', async () => {
    await start({ callbacks: { jwt: () => null } });
    const answer = await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
  });

  it('may take their time', async () => {
    await start({
      callbacks: {
        jwt: async ({ token }) => (await pause(1), { ...token, name: 'Later' }),
        session: async ({ session }) => (await pause(1), session),
      },
    });
    await app.get('/who', { cookie: app.cookie() }).expect(200, { id: 'u1', name: 'Later' });
  });

  it('may give anything that can be waited for', async () => {
    const later = { then: (done: (token: SessionToken) => void) => done({ sub: 'u2', name: 'Thenable' }) };
    await start({ callbacks: { jwt: () => later } });
    await app.get('/who', { cookie: app.cookie() }).expect(200, { id: 'u2', name: 'Thenable' });
  });

  it('may fail late', async () => {
    const session = async () => {
      await pause(1);
      throw new Error('No answer from the database');
    };
    await start({ callbacks: { session } });
    await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(log.join()).toContain('No answer from the database');
  });

  it('may fail, and that is being signed out, not an error', async () => {
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

describe('writing', () => {
  it('happens when a tenth of the idle time has passed', async () => {
    await start({ session: { maxAge: 100 } });
    expect((await app.get('/who', { cookie: cookieFrom(9) })).headers['set-cookie']).toBeUndefined();
    const { headers } = await app.get('/who', { cookie: cookieFrom(11) }).expect(200);
    expect(String(headers['set-cookie'])).toMatch(/Max-Age=100; Path=\/; HttpOnly; SameSite=Lax/);
  });

  it('happens after a minute at the latest', async () => {
    await start({ session: { maxAge: 86_400, maxLifetime: 86_400 } });
    expect((await app.get('/who', { cookie: cookieFrom(59) })).headers['set-cookie']).toBeUndefined();
    expect((await app.get('/who', { cookie: cookieFrom(61) })).headers['set-cookie']).toBeDefined();
  });

  it.each([
    ['/moved', 302],
    ['/nothing', 304],
    ['/nowhere-at-all', 404],
  ])('reaches the browser with %s (%i)', async (path, status) => {
    await start();
    const { headers } = await app.get(path, { cookie: cookieFrom(61) }).expect(status);
    expect(Boolean(headers['set-cookie'])).toBe(status !== 404);
  });

  it('never goes beyond the lifetime', async () => {
    await start({ session: { maxAge: 100, maxLifetime: 150 } });
    const { headers } = await app.get('/who', { cookie: cookieFrom(90) }).expect(200);
    expect(String(headers['set-cookie'])).toMatch(/Max-Age=60;/);
    await app
      .get('/who', { cookie: cookieFrom(90, { sub: 'u1', start: Date.now() / 1000 - 151 }), ...program })
      .expect(401);
  });

  it('has a cookie that lives no longer than the session from its sign-in on', async () => {
    await start({ session: { maxAge: 43_200, maxLifetime: 43_200 } });
    const { headers } = await app.get('/who', { cookie: cookieFrom(61) }).expect(200);
    expect(Number(/Max-Age=(\d+)/.exec(String(headers['set-cookie']))?.[1])).toBeLessThanOrEqual(43_140);
  });

  it('splits what is too long for one cookie, and removes the rest when it shrinks', async () => {
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

  it('can be put together by Auth.js from its pieces', async () => {
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

  it('drops a session that has grown beyond its cookies, and says so', async () => {
    const jwt = ({ token }: { token: SessionToken }) => ({
      ...token,
      filler: randomBytes(9_000).toString('base64url'),
    });
    await start({ callbacks: { jwt: jwt } });
    await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(log.join()).toContain('Request fewer claims or roles');
  });

  it('refuses what could not be read back', async () => {
    await start({ session: { maxCookies: 4 } });
    const unfolding = 'x y '.repeat(75_000);
    expect(() => app.resolved.seal({ sub: 'u1', unfolding })).toThrow('The session takes');
    expect(() => app.resolved.seal({ sub: 'u1', long: randomBytes(12_000).toString('hex') })).toThrow(
      'The session takes',
    );
    await expect(start({ session: { maxCookies: 5 } })).rejects.toThrow('1 to 4');
  });

  it.each(['base', '/', '/base/', '//other.example', '/a/../b'])(
    'is refused with the mount path %s, which is no path of an application',
    async (mountPath) => {
      await expect(start({ mountPath })).rejects.toThrow('`mountPath` must be a path such as `/base`');
    },
  );

  it('moves to the first secret', async () => {
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

  it('is taken back when the session ends in the same request', async () => {
    await start();
    const answer = await app
      .get('/out', { cookie: cookieFrom(61) })
      .expect(200, { ended: 'u1', session: null });
    expect([answer.headers['set-cookie']].flat()).toHaveLength(1);
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
  });

  it('needs nothing to be taken back from', async () => {
    await start();
    const answer = await app.get('/out').expect(200, { ended: null, session: null });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('is Secure and __Host- on https', async () => {
    await start({ origin: 'https://app.example' });
    const { headers } = await app.get('/who', { cookie: cookieFrom(61) }).expect(200);
    expect(String(headers['set-cookie'])).toMatch(
      /^__Host-authjs\.session-token=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
  });
});

describe('where the application is', () => {
  it.each([
    ['http://app.example', undefined, 'authjs.session-token', '/'],
    ['http://app.example:3000', undefined, 'authjs.session-token-3000', '/'],
    ['https://app.example', undefined, '__Host-authjs.session-token', '/'],
    ['https://app.example:443', undefined, '__Host-authjs.session-token', '/'],
    ['https://app.example:8443', undefined, '__Host-authjs.session-token-8443', '/'],
    ['https://app.example', '/base', '__Secure-authjs.session-token-base', '/base'],
    ['https://app.example:8443', '/team/app', '__Secure-authjs.session-token-8443-team-app', '/team/app'],
    ['http://app.example:3000', '/base', 'authjs.session-token-3000-base', '/base'],
  ])('is in the name and the path of its cookie: %s%s', async (origin, mountPath, name, path) => {
    await start({ origin, ...(mountPath ? { mountPath } : {}) });
    const { headers } = await app.get('/who', { cookie: cookieFrom(61) }).expect(200);
    await app.get('/open').expect(200, { id: null });
    const [line] = [headers['set-cookie']].flat();
    expect(line).toMatch(new RegExp(`^${name}=.*; Path=${path}; HttpOnly;`));
  });

  describe('and the cookie of a version whose names did not say it', () => {
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

    it('is read, and moved to the name that says it', async () => {
      await start();
      const { headers } = await app.get('/who', { cookie: `${name}=${await former()}` }).expect(200);
      expect(sessionCookies(headers)).toEqual({ [name]: '', [`${name}-3000`]: expect.any(String) });
    });

    it('is read in pieces', async () => {
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

    it('is left alone where another application of the host has sealed it, with the same secret or another', async () => {
      await start();
      for (const value of [await former({ originPort: '' }), 'of-somebody-else']) {
        const { headers } = await app.get('/open', { cookie: `${name}=${value}` }).expect(200, { id: null });
        expect(sessionCookies(headers)).toEqual({});
      }
    });
  });
});

describe('ending before its time', () => {
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

  it.each([{}, { delayMs: 5 }])('makes every copy of the cookie worthless (%j)', async (kind) => {
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

  it('happens when the provider refuses to renew, for every copy of the cookie', async () => {
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

  it.each([{}, { delayMs: 5 }])('takes back the cookie of a slow answer (%j)', async (kind) => {
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

  it.each([true, false])('takes nothing back when that cannot be told (late: %s)', async (isLate) => {
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

  it('ends what the cookie has become since, too', async () => {
    await start({ revocations: store() });
    const first = cookieFrom(61);
    const { headers } = await app.get('/who', { cookie: first }).expect(200);
    const [second = ''] = Object.values(sessionCookies(headers));
    await app.get('/out', { cookie: first }).expect(200);
    await app.get('/who', { cookie: app.header(second), ...program }).expect(401);
  });

  it.each([true, false])(
    'that cannot be told leaves the cookie alone and answers 503 (late: %s)',
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

  it('that cannot be noted signs the browser out all the same', async () => {
    await start({ revocations: failing(true) });
    const { headers } = await app
      .get('/out', { cookie: app.cookie() })
      .expect(200, { ended: 'u1', session: null });
    expect(sessionCookies(headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
    expect(log.join()).toContain('Could not store the end of a session');
  });

  it('happens to the one that a sign-in replaces, whose cookie the answer sets anew', async () => {
    await start({ revocations: store() });
    const cookie = app.cookie();
    const { headers } = await app.get('/replaced', { cookie }).expect(200);
    expect(sessionCookies(headers)).toEqual({});
    await app.get('/who', { cookie, ...program }).expect(401);
    await app.get('/replaced').expect(200);
  });

  it('needs no session', async () => {
    await start({ revocations: store() });
    await app.get('/out').expect(200, { ended: null, session: null });
  });
});

describe('renewing', () => {
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

  it('happens where a session is needed, and reaches the browser', async () => {
    const refresh = renewing();
    await start({ refresh });
    const { headers } = await app.get('/who', { cookie: app.cookie(old) }).expect(200);
    const [value] = Object.values(sessionCookies(headers));
    expect(app.resolved.codec.open(value ?? '')).toMatchObject({ at: 'new' });
    await app.get('/who', { cookie: app.header(value ?? '') }).expect(200);
    expect(refresh.calls).toBe(1);
  });

  it('gives handlers the new tokens, and asks once per request', async () => {
    const refresh = renewing();
    await start({ refresh });
    await app.get('/token', { cookie: app.cookie(old) }).expect(200, { token: 'new' });
    expect(refresh.calls).toBe(1);
  });

  it('happens on demand, when the provider refuses a token before its time', async () => {
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

  it('leaves the session alone when the provider is out of reach; what needs a token answers 503', async () => {
    await start({ refresh: failing(new ProviderUnavailable()) });
    const { headers } = await app.get('/who', { cookie: app.cookie(old) }).expect(200);
    expect(headers['set-cookie']).toBeUndefined();
    await app.get('/token', { cookie: app.cookie(old) }).expect(503);
  });

  it('ends the session when the provider refuses, and says why', async () => {
    await start({ refresh: failing(new SessionEnded('refresh_rejected')) });
    const answer = await app.get('/who', { cookie: app.cookie(old), ...program }).expect(401);
    expect(answer.body).toMatchObject({ code: 'AUTH_SESSION_ENDED', reason: 'refresh_rejected' });
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
    const page = await app.page('/who?a=1', { cookie: app.cookie(old) }).expect(302);
    expect(page.headers['location']).toBe('/auth/signin?callbackUrl=%2Fwho%3Fa%3D1&reason=refresh_rejected');
    expect(log.join()).toContain('A session has ended');
  });

  it('ends the session when a handler finds out', async () => {
    await start({ refresh: failing(new SessionEnded('no_refresh')) });
    const answer = await app
      .get('/renewed', { cookie: app.cookie({ sub: 'u1', at: 'x' }), ...program })
      .expect(401);
    expect(answer.body).toMatchObject({ reason: 'no_refresh', loginUrl: '/auth/signin' });
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
  });

  it('stays ended for the rest of the request', async () => {
    const refresh = failing(new SessionEnded('refresh_rejected'));
    await start({ refresh });
    const body = bodyOf(await app.get('/twice', { cookie: app.cookie(old) }).expect(200));
    expect(body).toEqual([expect.stringContaining('SessionEnded'), expect.stringContaining('SessionEnded')]);
  });

  it('ends the session where the program knows no way to renew it', async () => {
    await start();
    await app.get('/token', { cookie: app.cookie(old) }).expect(200, { token: 'old' });
    await app.get('/renewed', { cookie: app.cookie(old), ...program }).expect(401);
  });

  it('lets other failures be failures', async () => {
    await start({ refresh: failing(new TypeError('a bug')) });
    await app.get('/who', { cookie: app.cookie(old) }).expect(500);
  });

  describe('in a session whose cookie has to slide, too', () => {
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

    it('the renewed cookie reaches the browser', async () => {
      await start({ refresh: rotating((token) => ({ ...token, at: 'new' })) });
      const { headers } = await app.get('/who', { cookie: cookieFrom(61, old) }).expect(200);
      const [value] = Object.values(sessionCookies(headers));
      expect(app.resolved.codec.open(value ?? '')).toMatchObject({ at: 'new' });
    });

    it('so does the end of a refused one', async () => {
      const refused = () => {
        throw new SessionEnded('refresh_rejected');
      };
      await start({ refresh: { ...rotating(refused), isSuperseded: () => true } });
      const answer = await app.get('/who', { cookie: cookieFrom(61, old), ...program }).expect(401);
      expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
    });

    it('so does the end of one that was renewed elsewhere', async () => {
      await start({ refresh: { ...renewing(), isDue: () => false, isSuperseded: () => true } });
      const answer = await app.get('/out', { cookie: cookieFrom(61) }).expect(200);
      expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
    });

    it('a public page, which does not renew, leaves the cookie as it is', async () => {
      await start({ refresh: rotating((token) => ({ ...token, at: 'new' })) });
      const { headers } = await app.get('/open', { cookie: cookieFrom(61, old) }).expect(200);
      expect(sessionCookies(headers)).toEqual({});
    });

    it('the cookie slides while the provider is out of reach', async () => {
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
      'are of no use to the program',
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

  it('does not let a late answer bring old tokens back', async () => {
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

describe('reading the user again', () => {
  const named = (name: string, is: Partial<SessionReload> = {}): SessionReload => ({
    isDue: (token) => token.name !== name,
    reload: (token) => Promise.resolve({ ...token, name }),
    ...is,
  });

  it('happens on guarded routes, before the handler, and the cookie has the answer', async () => {
    await start({ reload: named('Later') });
    const cookie = app.cookie({ sub: 'u1', name: 'Sooner' });
    const open = await app.get('/open', { cookie }).expect(200);
    expect(sessionCookies(open.headers)).toEqual({});
    const { headers } = await app.get('/who', { cookie }).expect(200, { id: 'u1', name: 'Later' });
    const [value = ''] = Object.values(sessionCookies(headers));
    expect(app.resolved.codec.open(value)).toMatchObject({ sub: 'u1', name: 'Later' });
  });

  it('leaves the session as it is where the provider does not say', async () => {
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

  it('ends the session where the provider has ended it', async () => {
    const ended = () => Promise.reject(new SessionEnded('revoked'));
    await start({ reload: named('Later', { reload: ended }) });
    const answer = await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(bodyOf(answer)).toMatchObject({ reason: 'revoked' });
    expect(sessionCookies(answer.headers)).toEqual({ [app.resolved.sessionCookie.name]: '' });
  });

  it('ends a session that the answer does not fit into', async () => {
    const filler = randomBytes(9_000).toString('base64url');
    await start({ reload: named('Later', { reload: (token) => Promise.resolve({ ...token, filler }) }) });
    const answer = await app.get('/who', { cookie: app.cookie(), ...program }).expect(401);
    expect(bodyOf(answer)).toMatchObject({ reason: 'unusable' });
  });

  it('comes after the tokens were renewed', async () => {
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

  it('is not undone by the sliding cookie of an answer that began before', async () => {
    await start({ reload: named('User', { isSuperseded: ({ name }) => name === 'Sooner' }) });
    const { headers } = await app.get('/open', { cookie: cookieFrom(61, { sub: 'u1', name: 'Sooner' }) });
    expect(sessionCookies(headers)).toEqual({});
  });

  it('can be done by a handler, which sees it in the session of the request', async () => {
    await start();
    const { headers } = await app.get('/changed', { cookie: app.cookie() }).expect(200, { name: 'Changed' });
    const [value = ''] = Object.values(sessionCookies(headers));
    expect(app.resolved.codec.open(value)).toMatchObject({ name: 'Changed' });
  });
});

describe('what a session held that is of no use any more', () => {
  it('is given to the program: ended, replaced, refused, or ended before its cookie came', async () => {
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
