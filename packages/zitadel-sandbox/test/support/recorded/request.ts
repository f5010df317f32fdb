import { createPrivateKey } from 'node:crypto';
import { CompactSign } from 'jose';
import type { HttpCall } from './http-call.js';
import type { LiveValues } from './live-values.js';
import { verifier } from './live-values.js';
import { named, type Names } from './names.js';
import type { Exchange, Fields, RecordedRequest } from './recording.js';

type Jwt = { header: Record<string, string>; claims: Record<string, unknown> };

const lengths: Record<string, (values: LiveValues) => string | undefined> = {
  '233': ({ code }) => code,
  '229': ({ code }) => code,
  '232': ({ code }) => code?.slice(0, -1),
  '288': ({ access_token }) => access_token,
  '287': ({ access_token }) => access_token?.slice(0, -1),
  '310': ({ refresh_token }) => refresh_token,
  '309': ({ refresh_token }) => refresh_token?.slice(0, -1),
};
const secondsAgo: [RegExp, number][] = [
  [/expired/, 1200],
  [/older than 1 h/, 3700],
  [/50 min ago/, 3000],
  [/in the future/, -60],
];

/** The required values of a server, which a sandbox has. */
export interface Server {
  issuer: string;
  clients: object;
  users: readonly { loginName: string; key?: Key; pat?: string }[];
}

interface Key {
  keyId: string;
  key: string;
}

/** Builds the recorded request for a server, with the tokens of an earlier step. */
export class RequestMaker {
  constructor(
    private readonly server: Server,
    private readonly names: Names,
  ) {}

  async make(exchange: Exchange & { request: RecordedRequest }, values: LiveValues): Promise<HttpCall> {
    const { request } = exchange;
    const url = new URL(this.server.issuer + (await this.text(request.path, exchange, values)));
    if (request.query) url.search = (await this.fields(request.query, exchange, values)).toString();
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers ?? {})) {
      headers[name] = await this.header(name, value, exchange, values);
    }
    const body = await this.body(exchange, values);
    return { method: request.method, url, headers, ...(body !== undefined && { body }) };
  }

  async fields(fields: Fields, exchange: Exchange, values: LiveValues): Promise<URLSearchParams> {
    const filled = new URLSearchParams();
    for (const [name, recorded] of Object.entries(fields)) {
      for (const one of [recorded].flat()) filled.append(name, await this.value(one, exchange, values));
    }
    return filled;
  }

  private async header(
    name: string,
    recorded: string,
    exchange: Exchange,
    values: LiveValues,
  ): Promise<string> {
    if (name === 'Cookie') return present(values.cookie, recorded);
    const text = await this.text(recorded, exchange, values);
    return text.replaceAll(/base64\((.*)\)/g, (_all, pair: string) => Buffer.from(pair).toString('base64'));
  }

  private async body(exchange: Exchange, values: LiveValues): Promise<string | undefined> {
    const { form, json, body } = exchange.request ?? {};
    if (form) return (await this.fields(form, exchange, values)).toString();
    if (json) return JSON.stringify(Object.fromEntries(await this.fields(json, exchange, values)));
    return body;
  }

  private value(recorded: unknown, exchange: Exchange, values: LiveValues): Promise<string> {
    if (typeof recorded === 'string') return this.text(recorded, exchange, values);
    return this.jwt((recorded as { $jwt: Jwt }).$jwt, exchange, values);
  }

  private async text(recorded: string, { name, request }: Exchange, values: LiveValues): Promise<string> {
    let text = recorded;
    if (text === '<code_verifier: 64 chars>') return verifier;
    if (text === '<client_assertion: JWT, 3 segments>') return textAssertion;
    if (text === '<device_code: base64url, 22 chars>') return present(values.device_code, recorded);
    text = text.replaceAll(
      /<([a-z_]+): JWE, 5 segments, (\d+) chars(?:, header kid \w+)?>/g,
      (_all, kind: string, length: string) => present(this.sealed(kind, length, values), recorded),
    );
    if (text.includes('JWT, 3 segments>')) {
      const token = /third party/.test(name)
        ? await foreignJwt({ header: { kid: 'x' }, claims: { iss: 'http://other.example' } })
        : /id token/i.test(name)
          ? values.id_token
          : values.access_token;
      text = text.replace(/<[a-z_]+: JWT, 3 segments>/, present(token, recorded));
    }
    text = text.replace('<code_challenge: 43 chars>', 'c'.repeat(43));
    // an unnamed id: another client of the project, or one that does not exist
    const other =
      request?.form?.['client_id'] === recorded
        ? (this.names.get('<client_id: web, 18 digits>') ?? '')
        : '399999999999999999';
    return named(text, this.names).replace('<18 digits>', other);
  }

  private sealed(kind: string, length: string, values: LiveValues): string | undefined {
    if (kind === 'actor_token') return values.actor_token;
    return length === '277' ? this.robot.pat : lengths[length]?.(values);
  }

  private get robot() {
    const robot = this.server.users.find(({ loginName }) => loginName === 'robot@acme.example');
    if (!robot) throw new Error('There is no robot@acme.example');
    return robot;
  }

  private async jwt(recorded: Jwt, exchange: Exchange, values: LiveValues): Promise<string> {
    const { header, claims } = recorded;
    if (header['alg'] === 'none') return this.unsigned(recorded);
    if (header['kid']?.startsWith('<kid:')) return this.issued(claims, exchange, values);
    if (header['kid'] === 'x') return foreignJwt(this.current(recorded, 0));
    const ago = secondsAgo.find(([pattern]) => pattern.test(exchange.name))?.[1] ?? 0;
    const jwt = await this.signed(this.current(recorded, ago), exchange);
    return /bad signature/.test(exchange.name) ? withChangedSignature(jwt) : jwt;
  }

  private issued(claims: Jwt['claims'], { name }: Exchange, values: LiveValues): string {
    const token = present('at_hash' in claims ? values.id_token : values.access_token, 'a token');
    if (/changed signature/.test(name)) return withChangedSignature(token);
    return claims['sub'] === 'x' ? withSubject(token, 'x') : token;
  }

  /** With the placeholders replaced and times `ago` seconds ago. */
  private current({ header, claims }: Jwt, ago: number): Jwt {
    const issuedAt = Math.floor(Date.now() / 1000) - ago;
    const text = named(JSON.stringify({ header, claims }), this.names)
      .replaceAll('"<iat: seconds>"', String(issuedAt))
      .replaceAll(/"<iat\+(\d+)>"/g, (_all, lifetime: string) => String(issuedAt + Number(lifetime)))
      .replaceAll('"<seconds>"', String(issuedAt + 600))
      .replaceAll(/"<auth_time: seconds>"/g, String(issuedAt))
      .replaceAll(/<key_id: (\w+), 18 digits>/g, (_all, owner: string) => this.keyOf(owner).keyId);
    return JSON.parse(text) as Jwt;
  }

  /** The key that the recorded header names, or that the name of the exchange refers to. */
  private signed({ header, claims }: Jwt, exchange: Exchange): Promise<string> {
    const text = JSON.stringify(exchange.request);
    const owner =
      /<key_id: (\w+)/.exec(text)?.[1] ??
      /<user_id: (robot\w*)/.exec(text)?.[1] ??
      /<client_id: (\w+)/.exec(text)?.[1];
    return sign({ header, claims }, this.keyOf(owner ?? 'api').key);
  }

  private keyOf(owner: string): Key {
    const clients = this.server.clients as Record<string, { key?: Key } | undefined>;
    const user = this.server.users.find(({ loginName }) => loginName === `${owner}@acme.example`);
    const key = clients[owner]?.key ?? user?.key;
    if (!key) throw new Error(`${owner} has no key`);
    return key;
  }

  private unsigned({ header, claims }: Jwt): string {
    const parts = [header, claims].map((part) => base64url(named(JSON.stringify(part), this.names)));
    return `${parts.join('.')}.`;
  }
}

/** A request without its token would be another one. */
function present(value: string | undefined, what: string): string {
  if (!value) throw new Error(`No step brought ${what}`);
  return value;
}

const textAssertion = `${base64url('{"alg":"RS256"}')}.${base64url('"a text"')}.${base64url('signature')}`;

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function sign({ header, claims }: Jwt, pem: string): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'RS256', ...header })
    .sign(createPrivateKey(pem));
}

/** A JWT that the sandbox did not sign. */
async function foreignJwt({ header, claims }: Jwt): Promise<string> {
  const { generateKeyPairSync } = await import('node:crypto');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return sign({ header, claims }, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

function withChangedSignature(jwt: string): string {
  const [header, payload, signature = ''] = jwt.split('.');
  const changed = signature.startsWith('A') ? 'B' : 'A';
  return [header, payload, changed + signature.slice(1)].join('.');
}

function withSubject(jwt: string, sub: string): string {
  const [header, payload = '', signature] = jwt.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  return [header, base64url(JSON.stringify({ ...claims, sub })), signature].join('.');
}
