import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { signAssertion } from '@mridang/nestjs-zitadel';
import { z } from 'zod';
import { SetupError, UsageError } from '../setup.error.js';
import { jsonOf, request, type TokenSource } from './management-client.js';

/** Without the scope of Zitadel's own project the management API refuses the token. */
const SCOPE = [
  'openid',
  'profile',
  'urn:zitadel:iam:user:resourceowner',
  'urn:zitadel:iam:org:project:id:zitadel:aud',
].join(' ');

const serviceUserKey = z.object({
  type: z.literal('serviceaccount'),
  userId: z.string().min(1),
  keyId: z.string().min(1),
  key: z.string().min(1),
});

/** @throws `UsageError` when the file cannot be read, or is something else than a personal access token */
export function tokenFromFile(path: string): TokenSource {
  const token = contentOf('--pat-file', path).trim();
  if (token.startsWith('{')) throw new UsageError(`--pat-file: ${path} is a key: use --key-file ${path}`);
  if (!/^[\w.~+/=-]+$/.test(token))
    throw new UsageError(`--pat-file: ${path} holds no personal access token, which is one line of text`);
  return () => Promise.resolve(token);
}

/**
 * The JWT profile (RFC 7523) of a service user.
 *
 * @throws `UsageError` when the file cannot be read, or is not the key of a service user
 */
export function tokenFromKey(path: string): TokenSource {
  const document = jsonOf(contentOf('--key-file', path));
  const { data: file } = serviceUserKey.safeParse(document);
  if (!file) {
    const isOther = z.object({ type: z.literal('application') }).safeParse(document).success;
    const what = isOther
      ? 'is the key of an API application'
      : 'is not a key as Zitadel offers it for download';
    throw new UsageError(`--key-file: ${path} ${what}: make a key of a service user in the console`);
  }
  return async (issuer) => redeem(issuer, await assertionOf(file, path, issuer));
}

function contentOf(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new UsageError(`${option}: cannot read ${path}`);
  }
}

async function assertionOf(
  { userId, keyId, key }: z.infer<typeof serviceUserKey>,
  path: string,
  issuer: string,
): Promise<string> {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    throw new UsageError(`--key-file: the private key in ${path} cannot be used`);
  }
  return signAssertion({ subject: userId, keyId, privateKey }, issuer);
}

async function redeem(issuer: string, assertion: string): Promise<string> {
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', scope: SCOPE, assertion };
  const body = new URLSearchParams(grant);
  const { status, text } = await request(`${issuer}/oauth/v2/token`, { method: 'POST', body });
  const token = z.object({ access_token: z.string().min(1) }).safeParse(jsonOf(text));
  if (status === 200 && token.data) return token.data.access_token;
  throw new SetupError(
    `Zitadel answered ${status} to the key in --key-file: it was deleted, has expired, belongs to another Zitadel or to a deactivated service user, or the clock here is wrong by minutes`,
  );
}
