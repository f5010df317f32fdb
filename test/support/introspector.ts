import { generateKeyPairSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose';
import { listening } from './listening.js';

export const clientId = '320000000000000103';
export const projectId = '320000000000000100';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const { publicKey } = pair;
const key = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();

export type Answer = {
  status?: number;
  body: unknown;
  type?: string;
  delayMs?: number;
  headers?: Record<string, string>;
};

export interface Introspector {
  issuer: string;
  /** the environment of an API that uses it */
  env: Record<string, string>;
  /** a response for an active token with additional claims */
  active(claims?: object): Answer;
  /** makes the next responses, from the token */
  answer: (token: string) => Answer;
  /** the introspection_endpoint in its metadata */
  endpoint: string;
  /** the number of metadata requests */
  discoveries: number;
  asked: { token: string; header: Record<string, unknown>; assertion: JWTPayload; form: URLSearchParams }[];
  close(): Promise<void>;
}

/** A provider with metadata and an introspection endpoint whose responses a test sets. */
export async function startIntrospector(): Promise<Introspector> {
  const late = new Set<NodeJS.Timeout>();
  const server = await listening((request, response) => {
    void textOf(request).then((text) => {
      if (request.url === '/.well-known/openid-configuration') {
        introspector.discoveries++;
        response.setHeader('content-type', 'application/json').end(JSON.stringify(metadata(introspector)));
        return;
      }
      const form = new URLSearchParams(text);
      const assertion = form.get('client_assertion') ?? '';
      const token = form.get('token') ?? '';
      introspector.asked.push({
        token,
        form,
        header: { ...decodeProtectedHeader(assertion) },
        assertion: decodeJwt(assertion),
      });
      const {
        status = 200,
        body,
        type = 'application/json',
        delayMs = 0,
        headers,
      } = introspector.answer(token);
      const timer = setTimeout(() => {
        late.delete(timer);
        response.writeHead(status, { 'content-type': type, ...headers });
        response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
      }, delayMs);
      late.add(timer);
    });
  });
  const issuer = server.origin;
  const introspector: Introspector = {
    issuer,
    env: {
      IDP_AUTHORITY: issuer,
      IDP_AUTHORIZATION_PROFILE_KEY_ID: 'key-1',
      IDP_AUTHORIZATION_PROFILE_KEY: key,
      IDP_AUTHORIZATION_PROFILE_CLIENT_ID: clientId,
      IDP_PROJECT_ID: projectId,
    },
    active(claims = {}) {
      const now = Math.floor(Date.now() / 1000);
      return {
        body: {
          active: true,
          iss: issuer,
          sub: 'u1',
          aud: [clientId],
          exp: now + 600,
          iat: now,
          scope: 'openid',
          client_id: 'web',
          token_type: 'Bearer',
          ...claims,
        },
      };
    },
    answer: () => ({ body: { active: false } }),
    endpoint: `${issuer}/oauth/v2/introspect`,
    discoveries: 0,
    asked: [],
    close: () => {
      late.forEach(clearTimeout);
      return server.close();
    },
  };
  return introspector;
}

const metadata = ({ issuer, endpoint }: Introspector) => ({
  issuer,
  authorization_endpoint: `${issuer}/oauth/v2/authorize`,
  token_endpoint: `${issuer}/oauth/v2/token`,
  introspection_endpoint: endpoint,
  jwks_uri: `${issuer}/oauth/v2/keys`,
});

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
