/** The response of a page or endpoint. */
export interface Answer {
  url: string;
  status: number;
  headers: Headers;
  text: string;
  /** absolute; empty without a redirect */
  location: string;
  json: Record<string, unknown>;
}

/** Stores cookies and does not follow redirects. */
export class Browser {
  /** by host name without the port (RFC 6265, section 8.5) */
  private readonly jars = new Map<string, Map<string, string>>();

  get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send(url, { headers });
  }

  post(url: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send(url, { method: 'POST', body: new URLSearchParams(form), headers });
  }

  async send(url: string, init: RequestInit): Promise<Answer> {
    const { hostname } = new URL(url);
    const cookies = this.jars.get(hostname) ?? new Map<string, string>();
    this.jars.set(hostname, cookies);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(init.headers as Record<string, string>), ...(cookie && { cookie }) };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const domain = /; *domain=([^;]*)/i.exec(line)?.[1] ?? hostname;
      if (domain === hostname) cookies.set(name, value);
    }
    const text = await response.text();
    const location = response.headers.get('location');
    return {
      url,
      status: response.status,
      headers: response.headers,
      text,
      location: location === null ? '' : new URL(location, url).href,
      json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
  }
}

/** The value of the first attribute like `name="…"` after the words, to read a form. */
export function hiddenInput(html: string, name: string): string {
  return new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';
}
