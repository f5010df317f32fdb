import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import { URLSearchParams } from 'node:url';
import { parse } from 'node-html-parser';

const MAX_REDIRECTS = 10;
const PATIENCE_MS = 10_000;

/**
 * The sign-in of a site.
 *
 * @typedef {object} Login
 * @property {string} page the path of the page with the button or the link
 * @property {string} [form] the selector of the form; or
 * @property {string} [link] the address of the link
 * @property {string} session the name of the session cookie
 */

/** @type {Login} */
export const appLogin = {
  page: '/auth/login',
  form: 'form[action="/auth/signin/zitadel"]',
  session: 'authjs.session-token',
};

/** Stores cookies and submits forms, as far as a sign-in needs it. */
export class Browser {
  /** @type {Map<string, Map<string, string>>} */
  jars = new Map();
  requests = 0;
  /** the length of the last Set-Cookie line, by cookie name */
  setCookieBytes = new Map();

  /** The `Cookie` header of a request to `origin`. */
  cookieHeader(origin) {
    return [...(this.jars.get(origin) ?? [])].map((pair) => pair.join('=')).join('; ');
  }

  /** Signs in, and returns `cookieHeader`. */
  async signIn(origin, loginName, login = appLogin) {
    await this.measuredSignIn(origin, loginName, login);
    return this.cookieHeader(origin);
  }

  /**
   * Signs in and measures the time from the click on "Log in" to the profile page.
   *
   * @param {Login} login
   */
  async measuredSignIn(origin, loginName, { page, form, link, session }) {
    const jar = this.jarOf(origin);
    const isSession = (name) => name.startsWith(session) && /^([.-]\d+)*$/.test(name.slice(session.length));
    for (const name of jar.keys()) if (isSession(name)) jar.delete(name);
    const start = await this.open(origin + page);
    const requestsBefore = this.requests;
    const started = performance.now();
    let end = form ? await this.submit(start, form) : await this.open(origin + link);
    // The second time the sandbox has a session of the user.
    const choice = 'form:has(button[name="loginName"])';
    if (new URL(end.url).origin !== origin) end = await this.submit(end, choice, { loginName });
    const ms = performance.now() - started;
    const cookies = [...jar.keys()].filter(isSession);
    if (end.status !== 200 || end.url !== `${origin}/profile` || cookies.length === 0) {
      throw new Error(`The sign-in ended at ${String(end.url).split('?', 1)[0]} (${end.status})`);
    }
    const bytes = cookies.map((name) => this.setCookieBytes.get(name));
    return { ms, requests: this.requests - requestsBefore, setCookieBytes: bytes.reduce((a, b) => a + b) };
  }

  submit(page, selector, pressed = {}) {
    const form = parse(page.text).querySelector(selector);
    if (!form) throw new Error(`No form ${selector} at ${page.url} (${page.status})`);
    const fields = form
      .querySelectorAll('input[name]')
      .map((input) => [input.getAttribute('name') ?? '', input.getAttribute('value') ?? '']);
    const body = new URLSearchParams({ ...Object.fromEntries(fields), ...pressed });
    return this.open(new URL(form.getAttribute('action') ?? '', page.url).href, { method: 'POST', body });
  }

  async open(address, { method = 'GET', body } = {}) {
    let answer = await this.request(address, { method, body });
    let url = address;
    const path = [url];
    for (let redirects = 0; answer.headers.has('location'); redirects++) {
      if (redirects === MAX_REDIRECTS) throw new Error(`Too many redirects at ${url}`);
      await answer.arrayBuffer();
      url = new URL(answer.headers.get('location') ?? '', url).href;
      path.push(url);
      answer = await this.request(url, { method: 'GET' });
    }
    return { url, path, status: answer.status, text: await answer.text() };
  }

  async request(url, { method, body }) {
    const { origin } = new URL(url);
    this.requests++;
    const headers = { accept: 'text/html', origin, cookie: this.cookieHeader(origin) };
    const answer = await this.send(url, { method, headers, ...(body ? { body } : {}) });
    this.keep(origin, answer);
    return answer;
  }

  /** @returns {Promise<Response>} */
  send(url, init) {
    return fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  /** The cookies of a response. */
  keep(origin, answer) {
    const jar = this.jarOf(origin);
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const name = pair.slice(0, pair.indexOf('='));
      this.setCookieBytes.set(name, Buffer.byteLength(line));
      const [, expires = ''] = /;\s*expires=([^;]+)/i.exec(line) ?? [];
      if (/;\s*max-age=0\b/i.test(line) || Date.parse(expires) <= Date.now()) jar.delete(name);
      else jar.set(name, pair.slice(name.length + 1));
    }
  }

  jarOf(origin) {
    const jar = this.jars.get(origin) ?? new Map();
    this.jars.set(origin, jar);
    return jar;
  }
}
