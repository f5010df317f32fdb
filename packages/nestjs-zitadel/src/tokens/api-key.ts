import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The validated key of an API application. */
export interface ApiKey {
  /** `iss` and `sub` of its assertions */
  clientId: string;
  /** `kid` of its assertions */
  keyId: string;
  privateKey: KeyObject;
  /** of the application, where the key file has it */
  appId: string | undefined;
}

/** The fields of the key file that Zitadel offers for download, or of the environment. */
export interface ApiKeyFields {
  type?: string | undefined;
  keyId?: string | undefined;
  key?: string | undefined;
  appId?: string | undefined;
  clientId?: string | undefined;
}

/** A field of a key is invalid. The message never has its value. */
export class ApiKeyProblem extends Error {
  constructor(
    readonly field: keyof ApiKeyFields,
    /** what was expected, for the message "expected …" */
    readonly expected: string,
  ) {
    super(`${field}: expected ${expected}`);
    this.name = 'ApiKeyProblem';
  }
}

const MIN_BITS = 2048;

/** A key file is invalid. The message never has its content. */
export class KeyFileProblem extends Error {
  /** @param expected for the message "expected …" */
  constructor(readonly expected: string) {
    super(`expected ${expected}`);
    this.name = 'KeyFileProblem';
  }
}

/**
 * Returns the fields of a key file, from its path, its content, or its content in base64.
 *
 * @throws `KeyFileProblem`
 */
export function keyFileFields(pathOrContent: string): ApiKeyFields {
  const given = unquoted(pathOrContent);
  // A long text without a dot is base64: a file name has an extension.
  const isContent = given.startsWith('{') || /^[\w+/=-]{200,}$/.test(given.replaceAll(/\s/g, ''));
  const fields = wholeKey(isContent ? given : textOfFile(given));
  if (!fields) throw new KeyFileProblem('the JSON file as downloaded');
  return fields;
}

function textOfFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new KeyFileProblem('a readable file');
  }
}

/** Returns the fields when `text` is the content of a key file, plain or in base64; `undefined` for anything else, such as a PEM text. */
export function wholeKey(text: string): ApiKeyFields | undefined {
  const given = unquoted(text);
  try {
    const fields = JSON.parse(given.startsWith('{') ? given : (fromBase64(given) ?? '')) as unknown;
    return typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
}

/** Whether two values of a field mean the same: a key may be PKCS#1 or PKCS#8. */
export function isSameField(field: keyof ApiKeyFields, one: string, other: unknown): boolean {
  if (field !== 'key' || typeof other !== 'string') return one === other;
  try {
    return privateKeyFrom(one).equals(privateKeyFrom(other));
  } catch {
    return false;
  }
}

/**
 * Validates the fields of a key.
 *
 * @throws `AggregateError`, with an `ApiKeyProblem` for each invalid field in `errors`
 */
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
        '"application": this is the key of a service user. Create a key of the API application in the console',
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
 * Reads an RSA private key: PEM of PKCS#1 (the format of Zitadel) or PKCS#8, with line breaks, with `\n` in their place, or without any;
 * plain or in base64.
 *
 * @throws `ApiKeyProblem`
 */
function privateKeyFrom(text: string): KeyObject {
  const given = unquoted(text);
  const decoded = given.includes('-----BEGIN') ? given : fromBase64(given);
  const pem = decoded?.replaceAll(String.raw`\r`, '').replaceAll(String.raw`\n`, '\n');
  const match = /-----BEGIN ([A-Z ]+)-----([\s\S]+?)-----END \1-----/.exec(pem ?? '');
  if (!match && given.startsWith('{')) throw new ApiKeyProblem('key', 'the complete JSON file as downloaded');
  if (!match)
    throw new ApiKeyProblem('key', 'a complete PEM text, from -----BEGIN to -----END with the dashes');
  const [, label = '', body = ''] = match;
  if (label.includes('ENCRYPTED') || body.includes('ENCRYPTED')) {
    throw new ApiKeyProblem('key', 'a private key without a passphrase');
  }
  if (label.includes('PUBLIC') || label.includes('CERTIFICATE')) {
    throw new ApiKeyProblem('key', 'the private key: this is the public one');
  }
  return rsaKeyFrom(`-----BEGIN ${label}-----\n${lines(body)}\n-----END ${label}-----\n`);
}

function rsaKeyFrom(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new ApiKeyProblem('key', 'a valid private key: the text between BEGIN and END cannot be decoded');
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

/** Removes quotes and a byte order mark, which shells and editors may leave in a value. */
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

/** Wraps base64 to 64 characters per line (RFC 7468 2). */
const lines = (body: string) => body.replaceAll(/\s/g, '').replaceAll(/.{64}(?=.)/g, '$&\n');
