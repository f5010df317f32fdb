import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The key of an API application, ready to sign with. */
export interface ApiKey {
  /** `iss` and `sub` of its assertions */
  clientId: string;
  /** `kid` of its assertions */
  keyId: string;
  privateKey: KeyObject;
  /** of the application, where it was told */
  appId: string | undefined;
}

/** The key JSON as Zitadel downloads it, or the same fields from the environment. */
export interface ApiKeyFields {
  type?: string | undefined;
  keyId?: string | undefined;
  key?: string | undefined;
  appId?: string | undefined;
  clientId?: string | undefined;
}

/** One field of a key cannot be used. Never says what was in it. */
export class ApiKeyProblem extends Error {
  constructor(
    readonly field: keyof ApiKeyFields,
    /** the end of the sentence "expected …" */
    readonly expected: string,
  ) {
    super(`${field}: expected ${expected}`);
    this.name = 'ApiKeyProblem';
  }
}

const MIN_BITS = 2048;

/** A key file cannot be used as a whole. Never says what was in it. */
export class KeyFileProblem extends Error {
  /** @param expected the end of the sentence "expected …" */
  constructor(readonly expected: string) {
    super(`expected ${expected}`);
    this.name = 'KeyFileProblem';
  }
}

/** The fields of a key file, given as its path, its content or the base64 of that. Throws `KeyFileProblem`. */
export function keyFileFields(pathOrContent: string): ApiKeyFields {
  const given = unquoted(pathOrContent);
  // Names of files end in something; base64 has no dot.
  const isContent = given.startsWith('{') || /^[\w+/=-]{200,}$/.test(given.replaceAll(/\s/g, ''));
  const fields = wholeKey(isContent ? given : textOfFile(given));
  if (!fields) throw new KeyFileProblem('the JSON file as downloaded');
  return fields;
}

function textOfFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new KeyFileProblem('a file that can be read');
  }
}

/** The fields in `text` where it is the content of a key file or the base64 of that, and not a key alone. */
export function wholeKey(text: string): ApiKeyFields | undefined {
  const given = unquoted(text);
  try {
    const fields = JSON.parse(given.startsWith('{') ? given : (fromBase64(given) ?? '')) as unknown;
    return typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a field says the same twice: a key may have another form. */
export function isSameField(field: keyof ApiKeyFields, one: string, other: unknown): boolean {
  if (field !== 'key' || typeof other !== 'string') return one === other;
  try {
    return privateKeyFrom(one).equals(privateKeyFrom(other));
  } catch {
    return false;
  }
}

/** Throws every `ApiKeyProblem` of `fields` at once, as the `errors` of an `AggregateError`. */
export function apiKeyFrom(fields: ApiKeyFields): ApiKey {
  const problems: ApiKeyProblem[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ApiKeyProblem)) throw error;
      problems.push(error);
      return undefined;
    }
  };
  if (fields.type === 'serviceaccount') {
    problems.push(
      new ApiKeyProblem(
        'type',
        '"application": this is the key of a service user; make one at the API application',
      ),
    );
  } else if (fields.type !== undefined && fields.type !== 'application') {
    problems.push(new ApiKeyProblem('type', '"application"'));
  }
  const keyId = attempt(() => textOf(fields, 'keyId', 'the ID of the key, as in the JSON file'));
  const clientId = attempt(() => textOf(fields, 'clientId', 'the client ID of the API application'));
  const privateKey = attempt(() => privateKeyFrom(textOf(fields, 'key', 'a private key')));
  if (problems.length > 0 || !keyId || !clientId || !privateKey) {
    throw new AggregateError(problems, problems.map(({ message }) => message).join('; '));
  }
  return { keyId, clientId, privateKey, appId: typeof fields.appId === 'string' ? fields.appId : undefined };
}

/**
 * Reads an RSA private key: PEM of PKCS#1 (what Zitadel gives) or PKCS#8, with line breaks, `\n` written out or none at
 * all, or the base64 of that. Throws `ApiKeyProblem`.
 */
function privateKeyFrom(text: string): KeyObject {
  const given = unquoted(text);
  const decoded = given.includes('-----BEGIN') ? given : fromBase64(given);
  const pem = decoded?.replaceAll(String.raw`\r`, '').replaceAll(String.raw`\n`, '\n');
  const match = /-----BEGIN ([A-Z ]+)-----([\s\S]+?)-----END \1-----/.exec(pem ?? '');
  if (!match && given.startsWith('{')) throw new ApiKeyProblem('key', 'the whole JSON file as downloaded');
  if (!match) throw new ApiKeyProblem('key', 'a whole PEM text, from -----BEGIN to -----END and its dashes');
  const [, label = '', body = ''] = match;
  if (label.includes('ENCRYPTED') || body.includes('ENCRYPTED')) {
    throw new ApiKeyProblem('key', 'a private key without a passphrase');
  }
  if (label.includes('PUBLIC') || label.includes('CERTIFICATE')) {
    throw new ApiKeyProblem('key', 'the private key, and this is the public part');
  }
  return rsaKeyFrom(`-----BEGIN ${label}-----\n${lines(body)}\n-----END ${label}-----\n`);
}

function rsaKeyFrom(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new ApiKeyProblem('key', 'an undamaged private key: the text between BEGIN and END cannot be read');
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < MIN_BITS) {
    throw new ApiKeyProblem('key', `an RSA key of at least ${MIN_BITS} bits`);
  }
  return key;
}

function textOf(fields: ApiKeyFields, field: keyof ApiKeyFields, expected: string): string {
  const value: unknown = fields[field];
  if (typeof value === 'string' && value.trim()) return value.trim();
  throw new ApiKeyProblem(field, expected);
}

/** Environments and shells leave quotes around a value, and byte order marks before it. */
const unquoted = (text: string) =>
  text
    .replace(/^\uFEFF/, '')
    .trim()
    .replace(/^(["'])([\s\S]*)\1$/, '$2')
    .trim();

function fromBase64(text: string): string | undefined {
  const compact = text.replaceAll(/\s/g, '');
  if (!/^[\w+/-]+=*$/.test(compact)) return undefined;
  return Buffer.from(compact, 'base64').toString('utf8').trim();
}

/** Base64 in lines of 64 characters (RFC 7468 2), whatever has become of its line breaks. */
const lines = (body: string) => body.replaceAll(/\s/g, '').replaceAll(/.{64}(?=.)/g, '$&\n');
