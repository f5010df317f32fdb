import { parse, type HTMLElement } from 'node-html-parser';
import supertest, { type Response } from 'supertest';
import { CookieJar } from 'tough-cookie';

const MAX_REDIRECTS = 10;
const navigation = {
  accept: 'text/html,application/xhtml+xml',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};

/** The headers of a request that is not a navigation. */
export const program = { accept: 'application/json', 'sec-fetch-mode': 'cors' };

/** A page after all redirects. */
export interface Page {
  url: URL;
  status: number;
  headers: Response['headers'];
  text: string;
  /** all addresses from the first request to the page */
  path: URL[];
  document: HTMLElement;
}

/** A browser without JavaScript: stores cookies, follows redirects and submits forms. */
export class Browser {
  readonly jar = new CookieJar();
  /** all responses, the oldest first */
  readonly answers: { url: URL; response: Response }[] = [];
  private stop: string | undefined;

  constructor(
    /** the base of relative paths before the first page */
    readonly origin: string,
    private readonly ca?: string,
  ) {}

  get(address: string | URL, headers: Record<string, string> = {}): Promise<Page> {
    return this.open('GET', new URL(address, this.origin), undefined, headers);
  }

  /** Submits the form that matches `selector`; `button` is the text or value of the pressed button. */
  submit(page: Page, selector: string, { button, fields = {} }: SubmitOptions = {}): Promise<Page> {
    const form = page.document.querySelector(selector);
    if (!form) throw new Error(`No form "${selector}" on ${page.url.href} (${page.status})`);
    const body = new URLSearchParams();
    for (const input of form.querySelectorAll('input[name]')) {
      body.append(input.getAttribute('name') ?? '', input.getAttribute('value') ?? '');
    }
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    if (button !== undefined) {
      const pressed = form
        .querySelectorAll('button')
        .find((candidate) => candidate.getAttribute('value') === button || candidate.text.trim() === button);
      if (!pressed) throw new Error(`No button "${button}" in "${selector}" on ${page.url.href}`);
      const name = pressed.getAttribute('name');
      if (name) body.set(name, pressed.getAttribute('value') ?? '');
    }
    const action = new URL(form.getAttribute('action') || page.url.href, page.url);
    const method = form.getAttribute('method')?.toUpperCase() ?? 'GET';
    if (method === 'GET') action.search = body.toString();
    return this.open(method, action, method === 'GET' ? undefined : body, {
      origin: page.url.origin,
      'sec-fetch-site': 'same-origin',
    });
  }

  /** Sends one request without following redirects. */
  async request(
    method: string,
    url: URL,
    body?: URLSearchParams,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const agent = supertest(url.origin);
    const target = url.pathname + url.search;
    const call = agent[method.toLowerCase() as 'get'](target)
      .redirects(0)
      .set({ ...navigation, ...headers });
    if (this.ca) void call.ca(this.ca);
    const cookie = await this.jar.getCookieString(url.href);
    if (cookie) void call.set('cookie', cookie);
    const response = await (body ? call.type('form').send(body.toString()) : call);
    for (const line of [response.headers['set-cookie'] ?? []].flat())
      await this.jar.setCookie(String(line), url.href);
    this.answers.push({ url, response });
    return response;
  }

  post(address: string, fields: Record<string, string>): Promise<Response> {
    return this.request('POST', new URL(address, this.origin), new URLSearchParams(fields));
  }

  /** The address with `pathname` to which a flow redirects, before it is requested. */
  async stopAt(pathname: string, flow: () => Promise<Page>): Promise<URL> {
    this.stop = pathname;
    const page = await flow().finally(() => (this.stop = undefined));
    return page.url;
  }

  /** Deletes the cookies with matching names. */
  forget(name: RegExp) {
    for (const cookie of this.jar.getCookiesSync(this.origin)) {
      if (name.test(cookie.key)) this.jar.setCookieSync(`${cookie.key}=; Max-Age=0; Path=/`, this.origin);
    }
  }

  /** The `Cookie` header of a request to `origin`. */
  cookieHeader(): Promise<string> {
    return this.jar.getCookieString(this.origin);
  }

  /** The session cookie, if it is not split into chunks. */
  async sessionCookie() {
    return (await this.cookies()).find(({ key }) => /authjs\.session-token[^.]*$/.test(key));
  }

  async cookies(address: string | URL = this.origin) {
    return this.jar.getCookies(new URL(address, this.origin).href);
  }

  private async open(
    method: string,
    start: URL,
    body: URLSearchParams | undefined,
    headers: Record<string, string>,
  ) {
    let url = start;
    let [repeated, sent] = [method, body];
    let response = await this.request(method, url, body, headers);
    const path = [url];
    while (response.status >= 300 && response.status < 400 && response.headers['location']) {
      if (path.length > MAX_REDIRECTS) throw new Error(`Too many redirects:\n${path.map(String).join('\n')}`);
      url = new URL(response.headers['location'], url);
      path.push(url);
      if (url.pathname === this.stop) break;
      if (response.status !== 307) [repeated, sent] = ['GET', undefined];
      response = await this.request(repeated, url, sent, sent || !headers['origin'] ? headers : {});
    }
    const { status, text } = response;
    return { url, status, headers: response.headers, text, path, document: parse(text) } satisfies Page;
  }
}

interface SubmitOptions {
  button?: string;
  fields?: Record<string, string>;
}

/** The CSRF token in the forms of a page. */
export const csrfFrom = (page: Page) => ({
  csrfToken: page.document.querySelector('input[name="csrfToken"]')?.getAttribute('value') ?? '',
});
