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

/** The fields of the key file that Zitadel offers for download. */
interface ApiKeyFields {
  type?: string | undefined;
  keyId?: string | undefined;
  /** a PEM text; of an `ApiKeySource` also the content of a whole key file, which has the other fields */
  key?: string | undefined;
  appId?: string | undefined;
  clientId?: string | undefined;
}

/** What a key is read from: a file, its fields, or both where they agree. */
export interface ApiKeySource extends ApiKeyFields {
  /** the key file: its path, its content, or its content in base64 */
  file?: string | undefined;
}

/** What is wrong with a key. It never has the value. */
export interface ApiKeyProblem {
  field: keyof ApiKeySource;
  /** the end of the sentence "expected …" */
  expected: string;
}

/** The key of an API application is invalid. */
export class ApiKeyInvalid extends Error {
  constructor(readonly problems: readonly ApiKeyProblem[]) {
    super(problems.map(({ field, expected }) => `${field}: expected ${expected}`).join('; '));
    this.name = 'ApiKeyInvalid';
  }
}

const MIN_BITS = 2048;

/** As `apiKeyFrom`, for several settings that are checked together: reports each problem, and returns `undefined` then. */
export function apiKeyOf(
  source: ApiKeySource,
  report: (field: keyof ApiKeySource, expected: string) => void,
): ApiKey | undefined {
  try {
    return apiKeyFrom(source);
  } catch (error) {
    if (!(error instanceof ApiKeyInvalid)) throw error;
    for (const { field, expected } of error.problems) report(field, expected);
    return undefined;
  }
}

/**
 * Reads and validates the key of an API application.
 *
 * @throws `ApiKeyInvalid` with all problems
 */
export function apiKeyFrom({ file, ...given }: ApiKeySource): ApiKey {
  const whole = wholeKey(given.key ?? '');
  const beside = whole ? { ...given, key: whole.key } : given;
  const fields = { ...beside, ...whole };
  const problems = contradictions(beside, fields);
  const content = file === undefined ? undefined : attempt(problems, () => keyFileFields(file));
  if (content) problems.push(...contradictions(fields, content));
  const inFile: ApiKeyProblem[] = [];
  const key = file === undefined ? validKey(fields, problems) : content && validKey(content, inFile);
  for (const { field, expected } of inFile)
    problems.push({ field: 'file', expected: `a file in which \`${field}\` is ${expected}` });
  if (problems.length > 0 || !key) throw new ApiKeyInvalid(problems);
  return key;
}

/** Returns the result of `work`, or adds what is wrong to `problems`. */
function attempt<T>(problems: ApiKeyProblem[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ApiKeyInvalid)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

const invalid = (field: keyof ApiKeySource, expected: string) => new ApiKeyInvalid([{ field, expected }]);

function keyFileFields(pathOrContent: string): ApiKeyFields {
  const given = unquoted(pathOrContent);
  // A long text without a dot is base64: a file name has an extension.
  const isContent = given.startsWith('{') || /^[\w+/=-]{200,}$/.test(given.replaceAll(/\s/g, ''));
  const fields = wholeKey(isContent ? given : textOfFile(given));
  if (!fields) throw invalid('file', 'the JSON file as downloaded');
  return fields;
}

function textOfFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw invalid('file', 'a readable file');
  }
}

/** Returns the fields when `text` is the content of a key file, plain or in base64; `undefined` for anything else, such as a PEM text. */
function wholeKey(text: string): ApiKeyFields | undefined {
  const given = unquoted(text);
  try {
    const fields = JSON.parse(given.startsWith('{') ? given : (fromBase64(given) ?? '')) as unknown;
    return typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? fields : undefined;
  } catch {
    return undefined;
  }
}

/** Fields that differ from those in the key file. `type` has a message of its own. */
const contradictions = (given: ApiKeyFields, file: ApiKeyFields): ApiKeyProblem[] =>
  (['keyId', 'key', 'appId', 'clientId'] as const)
    .filter((field) => given[field] !== undefined && !isSameField(field, given[field], file[field]))
    .map((field) => ({ field, expected: 'what the key file says, or nothing' }));

/** Whether two values of a field mean the same: a key may be PKCS#1 or PKCS#8. */
function isSameField(field: keyof ApiKeyFields, one: string, other: unknown): boolean {
  if (one === other || field !== 'key' || typeof other !== 'string') return one === other;
  try {
    return privateKeyFrom(one).equals(privateKeyFrom(other));
  } catch {
    return false;
  }
}

function validKey(fields: ApiKeyFields, problems: ApiKeyProblem[]): ApiKey | undefined {
  const { type, appId } = fields;
  if (type !== undefined && type !== 'application') {
    const cure = ': this is the key of a service user. Create a key of the API application in the console';
    problems.push({ field: 'type', expected: `"application"${type === 'serviceaccount' ? cure : ''}` });
  }
  const keyId = attempt(problems, () => textOf(fields, 'keyId', 'the ID of the key, as in the JSON file'));
  const clientId = attempt(problems, () =>
    textOf(fields, 'clientId', 'the client ID of the API application'),
  );
  const privateKey = attempt(problems, () => privateKeyFrom(textOf(fields, 'key', 'a private key')));
  if (!keyId || !clientId || !privateKey) return undefined;
  return { keyId, clientId, privateKey, appId: typeof appId === 'string' ? appId : undefined };
}

/**
 * Reads an RSA private key: PEM of PKCS#1 (the format of Zitadel) or PKCS#8, with line breaks, with `\n` in their place, or without any;
 * plain or in base64.
 *
 * @throws `ApiKeyInvalid`
 */
function privateKeyFrom(text: string): KeyObject {
  const given = unquoted(text);
  const decoded = given.includes('-----BEGIN') ? given : fromBase64(given);
  const pem = decoded?.replaceAll(String.raw`\r`, '').replaceAll(String.raw`\n`, '\n');
  const match = /-----BEGIN ([A-Z ]+)-----([\s\S]+?)-----END \1-----/.exec(pem ?? '');
  if (!match && given.startsWith('{')) throw invalid('key', 'the complete JSON file as downloaded');
  if (!match) throw invalid('key', 'a complete PEM text, from -----BEGIN to -----END with the dashes');
  const [, label = '', body = ''] = match;
  if (label.includes('ENCRYPTED') || body.includes('ENCRYPTED')) {
    throw invalid('key', 'a private key without a passphrase');
  }
  if (label.includes('PUBLIC') || label.includes('CERTIFICATE')) {
    throw invalid('key', 'the private key: this is the public one');
  }
  return rsaKeyFrom(`-----BEGIN ${label}-----\n${lines(body)}\n-----END ${label}-----\n`);
}

function rsaKeyFrom(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw invalid('key', 'a valid private key: the text between BEGIN and END cannot be decoded');
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < MIN_BITS) {
    throw invalid('key', `an RSA key of at least ${MIN_BITS} bits`);
  }
  return key;
}

function textOf(fields: ApiKeyFields, field: keyof ApiKeyFields, expected: string): string {
  const value: unknown = fields[field];
  if (typeof value === 'string' && value.trim()) return value.trim();
  throw invalid(field, expected);
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
