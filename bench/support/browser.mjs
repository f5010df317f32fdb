import { URLSearchParams } from 'node:url';
import { parse } from 'node-html-parser';

const MAX_REDIRECTS = 10;

/** Keeps cookies and sends forms: as much of a browser as a sign-in needs. */
export class Browser {
  /** @type {Map<string, Map<string, string>>} */
  jars = new Map();

  /** What this browser sends to `origin` with every request. */
  cookieHeader(origin) {
    return [...(this.jars.get(origin) ?? [])].map((pair) => pair.join('=')).join('; ');
  }

  /** @param {string} [session] name of the session cookie */
  async signIn(origin, loginName, session = 'authjs.session-token') {
    this.jars.get(origin)?.delete(session);
    const login = await this.open(`${origin}/auth/login`);
    let page = await this.submit(login, 'form[action="/auth/signin/zitadel"]');
    // The second time the sandbox knows who it is.
    const choice = 'form:has(button[name="loginName"])';
    if (new URL(page.url).origin !== origin) page = await this.submit(page, choice, { loginName });
    if (page.status !== 200 || !this.jars.get(origin)?.has(session)) {
      throw new Error(`The sign-in ended at ${page.url} (${page.status})`);
    }
    return this.cookieHeader(origin);
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
    for (let redirects = 0; answer.headers.has('location'); redirects++) {
      if (redirects === MAX_REDIRECTS) throw new Error(`Too many redirects at ${url}`);
      await answer.arrayBuffer();
      url = new URL(answer.headers.get('location') ?? '', url).href;
      answer = await this.request(url, { method: 'GET' });
    }
    return { url, status: answer.status, text: await answer.text() };
  }

  async request(url, { method, body }) {
    const { origin } = new URL(url);
    const answer = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(10_000),
      headers: { accept: 'text/html', origin, cookie: this.cookieHeader(origin) },
      ...(body ? { body } : {}),
    });
    const jar = this.jars.get(origin) ?? new Map();
    this.jars.set(origin, jar);
    for (const line of answer.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const name = pair.slice(0, pair.indexOf('='));
      if (/;\s*max-age=0\b/i.test(line)) jar.delete(name);
      else jar.set(name, pair.slice(name.length + 1));
    }
    return answer;
  }
}
