// A user who uses the application all day.
import { setTimeout as wait } from 'node:timers/promises';
import { request, Response } from 'undici';
import { Browser } from './browser.mjs';

const LOGOUT_FORM = 'form[action="/auth/logout"]';
const PATIENCE_MS = 15_000;
const RETRY_MS = 2_000;

/** After this time the gate has recorded a token. */
const NOTED_MS = 100;

/** Times are in seconds, all other values are shares. */
const habits = {
  pause: [1.5, 5],
  longPause: [25, 50],
  isLong: 0.01,
  lostAnswer: 0.03,
  signsOut: 0.02,
  twoTabs: 0.12,
};

/** The headers of a navigation and of a script request. */
const page = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
const script = { accept: 'application/json', 'sec-fetch-mode': 'cors' };

/** A user with a browser. Events are counted in `tally`. */
export class Person extends Browser {
  isSignedIn = false;
  /** the session at Zitadel from which the session here came */
  grantId;

  /**
   * @param {string} loginName
   * @param {object} world
   * @param {Awaited<ReturnType<import('./shaken-system.mjs').startShakenSystem>>} world.system
   * @param {ReturnType<import('./random.mjs').randomFrom>} world.random
   * @param {import('./tally.mjs').Tally} world.tally
   */
  constructor(loginName, { system, random, tally }) {
    super();
    Object.assign(this, { loginName, system, random, tally });
  }

  /** @param {Promise<unknown>} end */
  async live(end) {
    let isOver = false;
    void end.finally(() => (isOver = true));
    while (!isOver) {
      const [least, most] = this.random.chance(habits.isLong) ? habits.longPause : habits.pause;
      await Promise.race([wait(this.random.between(least, most) * 1000), end]);
      if (!isOver) await this.act();
    }
  }

  async act() {
    if (!this.isSignedIn) return this.goIn();
    const [first, second] = this.random.shuffled(['/profile', '/profile', '/profile', '/', '/auth/userinfo']);
    const paths = this.random.chance(habits.twoTabs) ? [first, second] : [first];
    const found = await Promise.all(paths.map((path) => this.visit(path)));
    if (found.includes('resumed')) {
      this.tally.count('resumed');
      await this.noteGrant();
    } else if (found.includes('signed out')) await this.noteLoss(paths);
    else if (this.random.chance(habits.signsOut)) await this.goOut();
  }

  async goIn() {
    try {
      await this.signIn(this.system.origin, this.loginName);
      this.isSignedIn = true;
      this.tally.count('sessions');
      await this.noteGrant();
    } catch (error) {
      this.tally.count('signInFailed');
      this.tally.note(`${this.loginName} cannot sign in: ${error.message}`);
      await wait(RETRY_MS);
    }
  }

  async goOut() {
    const { tally, loginName, grantId } = this;
    const cookie = this.cookieHeader(this.system.origin);
    const profile = await this.open(`${this.system.origin}/profile`).catch(() => undefined);
    if (!profile?.text.includes('action="/auth/logout"')) return;
    try {
      const end = await this.submit(profile, `main ${LOGOUT_FORM}`);
      // A form that is accepted redirects.
      this.isSignedIn = end.path.length === 1;
      if (this.isSignedIn) tally.count('signOutRefused');
      else tally.count('signOuts');
      if (!this.isSignedIn) tally.signedOut.push({ cookie, loginName, grantId, at: Date.now() });
    } catch {
      // The form may have been processed.
      this.isSignedIn = false;
      tally.count('signOutUnanswered');
    }
  }

  /** @returns {Promise<'here' | 'resumed' | 'signed out' | 'failed'>} the state of the session by the response */
  async visit(path) {
    const { origin, issuer } = this.system;
    try {
      if (path === '/auth/userinfo') return await this.ask(path);
      const { url, path: way, status, text } = await this.open(origin + path);
      const end = new URL(url);
      if (end.origin === issuer || end.pathname === '/auth/login') return 'signed out';
      if (end.pathname !== path || status !== 200) return 'failed';
      // A public page does not show the session: the next page will.
      if (path === '/' && !text.includes('action="/auth/logout"')) return await this.visit('/profile');
      return way.some((address) => address.startsWith(`${issuer}/`)) ? 'resumed' : 'here';
    } catch {
      return 'failed';
    }
  }

  /** Sends a request like a script of a page. */
  async ask(path) {
    const { origin } = this.system;
    const cookie = this.cookieHeader(origin);
    const answer = await this.send(origin + path, { method: 'GET', headers: { ...script, cookie } });
    this.keep(origin, answer);
    return answer.status === 401 ? 'signed out' : answer.ok ? 'here' : 'failed';
  }

  async noteGrant() {
    await wait(NOTED_MS);
    this.grantId = this.system.handedOut.grantOf(this.loginName);
  }

  async noteLoss(paths) {
    this.isSignedIn = false;
    this.tally.count('lost');
    const isAvoidable = await this.system.handedOut.hasGood(this.loginName, this.grantId);
    if (isAvoidable) this.tally.count('lostAvoidably');
    this.tally.note(
      `${this.loginName} is signed out${isAvoidable ? ', with a good refresh token' : ''}: ${paths.join(' ')}`,
    );
  }

  /** Sends a request to one of the instances, and to another one if it is unreachable, like a proxy. */
  async send(url, init) {
    const { origin, pathname, search } = new URL(url);
    if (origin !== this.system.origin) return fetched(url, init);
    this.tally.count('requests');
    let problem;
    for (const instance of this.random.shuffled(this.system.origins))
      try {
        const answer = await fetched(instance + pathname + search, init);
        this.tally.answered(pathname, answer.status);
        return answer;
      } catch (error) {
        problem = error;
        if (error.code !== 'ECONNREFUSED' && (init.method !== 'GET' || error.name === 'TimeoutError')) break;
      }
    this.tally.count('unanswered');
    throw problem;
  }

  keep(origin, answer) {
    const mayBeLost = this.isSignedIn && origin === this.system.origin && answer.status < 300;
    if (mayBeLost && this.random.chance(habits.lostAnswer)) this.tally.count('lostAnswers');
    else super.keep(origin, answer);
  }
}

/** Uses `request`, because `fetch` would set the Sec-Fetch headers of a script. */
async function fetched(url, { method, headers, body }) {
  const answer = await request(url, {
    method,
    headers: {
      ...page,
      ...headers,
      ...(body && { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    body: body?.toString(),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const lines = Object.entries(answer.headers).flatMap(([name, value]) =>
    [value].flat().map((line) => [name, String(line)]),
  );
  const text = await answer.body.text();
  return new Response(text || null, { status: answer.statusCode, headers: lines });
}
