import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readApiEnv } from '../../src/config/api-env.js';
import { ConfigError } from '@mridang/nestjs-program';
import { configErrorText } from '../support/config-problems.js';

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pkcs1 = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const pkcs8 = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const jwk = pair.publicKey.export({ format: 'jwk' });
const json = JSON.stringify({ type: 'application', keyId: 'k1', key: pkcs1, appId: 'a1', clientId: 'c1' });
const base64 = (text: string) => Buffer.from(text).toString('base64');

const folder = mkdtempSync(join(tmpdir(), 'api-key-'));
const file = join(folder, 'api-key.json');
writeFileSync(file, json);
afterAll(() => rmSync(folder, { recursive: true }));

const fields = {
  IDP_AUTHORITY: 'https://my-instance.zitadel.cloud',
  IDP_AUTHORIZATION_PROFILE_KEY_ID: 'k1',
  IDP_AUTHORIZATION_PROFILE_CLIENT_ID: 'c1',
};
const problemsOf = (source: Record<string, string>) => configErrorText(() => readApiEnv(source));

describe('the API key', () => {
  it.each([
    ['PKCS#1, as Zitadel issues it', pkcs1],
    ['PKCS#8', pkcs8],
    [String.raw`with \n written out`, pkcs1.replaceAll('\n', String.raw`\n`)],
    [String.raw`with \r\n written out, in quotes`, `"${pkcs8.replaceAll('\n', String.raw`\r\n`)}"`],
    ['with Windows line breaks', pkcs1.replaceAll('\n', '\r\n')],
    ['with spaces in place of line breaks', pkcs1.replaceAll('\n', ' ')],
    ['as base64', base64(pkcs1)],
    ['as base64 in lines', base64(pkcs8).replaceAll(/.{76}/g, '$&\n')],
    ['as the whole JSON file', json],
    ['as the base64 of the JSON file', base64(json)],
  ])('is read from IDP_AUTHORIZATION_PROFILE_KEY: %s', (_name, key) => {
    const { key: loaded } = readApiEnv({ ...fields, IDP_AUTHORIZATION_PROFILE_KEY: key });
    expect(loaded).toMatchObject({ clientId: 'c1', keyId: 'k1' });
    expect(loaded.privateKey.export({ format: 'jwk' }).n).toBe(jwk.n);
  });

  it.each([
    ['the path of the file', file],
    ['its content', json],
    ['its content in quotes', `'${json}'`],
    ['its content after a byte order mark', `"\uFEFF${json}"`],
    ['the base64 of its content', base64(json)],
    ['the base64 of its content in lines', base64(json).replaceAll(/.{76}/g, '$&\n')],
    ['its path in quotes', `"${file}"`],
  ])('is read from ZITADEL_API_KEY_FILE, given as %s', (_name, value) => {
    const { key } = readApiEnv({ IDP_AUTHORITY: 'https://a.example', ZITADEL_API_KEY_FILE: value });
    expect(key).toMatchObject({ clientId: 'c1', keyId: 'k1' });
  });

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const locked = pair.privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  });
  it.each([
    ['an empty text', '', 'a private key'],
    ['arbitrary text', 'hello world', 'a complete PEM text'],
    ['half of a PEM text', pkcs1.slice(0, 400), 'a complete PEM text'],
    ['half of the JSON file', json.slice(0, 400), 'the complete JSON file as downloaded'],
    ['a damaged PEM text', pkcs1.replace(/\n.{10}/, '\n!!!!!!!!!!'), 'a valid private key'],
    [
      'a public key',
      pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      'this is the public one',
    ],
    ['encrypted with a passphrase', String(locked), 'without a passphrase'],
    ['an EC key', ec.export({ type: 'pkcs8', format: 'pem' }).toString(), 'an RSA key of at least 2048 bits'],
    [
      'an RSA key of 1024 bits',
      small.export({ type: 'pkcs1', format: 'pem' }).toString(),
      'an RSA key of at least 2048 bits',
    ],
  ])('is refused with the name of the variable and is not printed when it is %s', (_name, key, expected) => {
    const text = problemsOf({ ...fields, IDP_AUTHORIZATION_PROFILE_KEY: key });
    expect(text).toContain('IDP_AUTHORIZATION_PROFILE_KEY');
    expect(text).toContain(expected);
    if (key.length > 100) expect(text).not.toContain(key.slice(30, 60));
  });

  it('is reported in one error with all other missing variables', () => {
    const text = problemsOf({ IDP_AUTHORIZATION_TYPE: 'basic', APP_PORT: 'x' });
    for (const name of [
      'APP_PORT',
      'IDP_AUTHORITY',
      'IDP_AUTHORIZATION_TYPE',
      'IDP_AUTHORIZATION_PROFILE_KEY_ID',
      'IDP_AUTHORIZATION_PROFILE_KEY',
      'IDP_AUTHORIZATION_PROFILE_CLIENT_ID',
    ])
      expect(text).toContain(`${name}: expected`);
  });

  it.each([
    [
      'the type of a service user',
      { type: 'serviceaccount', keyId: 'k', key: pkcs1, userId: 'u' },
      '"application"',
    ],
    ['no clientId', { keyId: 'k', key: pkcs1 }, '`clientId`'],
    ['a key that is not text', { keyId: 'k', clientId: 'c', key: 5 }, '`key`'],
  ])('is refused with the name of the field when its file has %s', (_name, content, expected) => {
    const text = problemsOf({ ...fields, ZITADEL_API_KEY_FILE: JSON.stringify(content) });
    expect(text).toContain('ZITADEL_API_KEY_FILE');
    expect(text).toContain(expected);
  });

  it('is refused with the reason when its file does not exist', () => {
    const text = problemsOf({
      IDP_AUTHORITY: fields.IDP_AUTHORITY,
      ZITADEL_API_KEY_FILE: join(folder, 'nothing.json'),
    });
    expect(text).toContain('ZITADEL_API_KEY_FILE: expected a readable file\n');
    expect(text).not.toContain('`key`');
  });

  it.each(['{"type":', '"{}x"', base64('x'.repeat(200)), base64('[1]'.padEnd(200))])(
    'is refused with the reason when its file is not JSON: %j',
    (content) => {
      const text = problemsOf({ IDP_AUTHORITY: fields.IDP_AUTHORITY, ZITADEL_API_KEY_FILE: content });
      expect(text).toContain('ZITADEL_API_KEY_FILE: expected the JSON file as downloaded\n');
      expect(text).not.toContain('`key`');
    },
  );
});

describe('a whole key file in IDP_AUTHORIZATION_PROFILE_KEY', () => {
  const authority = { IDP_AUTHORITY: fields.IDP_AUTHORITY };

  it.each([json, base64(json), `"${json}"`])('needs no further variable (%#)', (content) => {
    expect(readApiEnv({ ...authority, IDP_AUTHORIZATION_PROFILE_KEY: content }).key).toMatchObject({
      clientId: 'c1',
      keyId: 'k1',
      appId: 'a1',
    });
  });

  it('may be repeated but not contradicted by the other variables', () => {
    const given = { ...fields, IDP_AUTHORIZATION_PROFILE_KEY: json };
    expect(readApiEnv({ ...given, IDP_AUTHORIZATION_PROFILE_APP_ID: 'a1' }).key.appId).toBe('a1');
    const text = problemsOf({
      ...given,
      IDP_AUTHORIZATION_PROFILE_KEY_ID: 'k2',
      IDP_AUTHORIZATION_PROFILE_APP_ID: 'a2',
    });
    for (const name of ['KEY_ID', 'APP_ID'])
      expect(text).toContain(
        `IDP_AUTHORIZATION_PROFILE_${name}: expected what the key file says, or nothing`,
      );
    expect(text).not.toContain('CLIENT_ID');
  });

  it('may lack fields that the other variables state', () => {
    const content = JSON.stringify({ type: 'application', key: pkcs1 });
    expect(readApiEnv({ ...fields, IDP_AUTHORIZATION_PROFILE_KEY: content }).key).toMatchObject({
      clientId: 'c1',
      keyId: 'k1',
    });
  });

  it('is refused when it belongs to a service user', () => {
    const content = JSON.stringify({ type: 'serviceaccount', keyId: 'k1', key: pkcs1, userId: 'u' });
    const text = problemsOf({ ...fields, IDP_AUTHORIZATION_PROFILE_KEY: content });
    expect(text).toContain('this is the key of a service user');
  });
});

describe('ZITADEL_API_KEY_FILE', () => {
  const whole = { ...fields, ZITADEL_API_KEY_FILE: file };
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

  it.each([
    ['the same values', {}],
    ['the same key in another form', { IDP_AUTHORIZATION_PROFILE_KEY: pkcs8 }],
    ['the same file again', { IDP_AUTHORIZATION_PROFILE_KEY: base64(json) }],
  ])('is accepted beside variables that state %s', (_name, more) => {
    expect(readApiEnv({ ...whole, ...more }).key).toMatchObject({ clientId: 'c1', keyId: 'k1', appId: 'a1' });
  });

  it.each([
    ['KEY_ID', 'k2'],
    ['CLIENT_ID', 'c2'],
    ['APP_ID', 'a2'],
    ['KEY', other.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['KEY', 'no key at all'],
  ])('is refused beside a different IDP_AUTHORIZATION_PROFILE_%s', (name, value) => {
    expect(problemsOf({ ...whole, [`IDP_AUTHORIZATION_PROFILE_${name}`]: value })).toContain(
      `IDP_AUTHORIZATION_PROFILE_${name}: expected what the key file says, or nothing`,
    );
  });
});

describe('the issuer', () => {
  const key = { ZITADEL_API_KEY_FILE: json };
  it('is IDP_AUTHORITY if set and ZITADEL_DOMAIN otherwise', () => {
    expect(readApiEnv({ ...key, ZITADEL_DOMAIN: 'https://a.example/' }).zitadel.issuer).toBe(
      'https://a.example',
    );
    expect(
      readApiEnv({ ...key, ZITADEL_DOMAIN: 'https://a.example', IDP_AUTHORITY: 'https://b.example' }).zitadel
        .issuer,
    ).toBe('https://b.example');
  });

  it('must be https, except on a loopback address or with ALLOW_INSECURE_HTTP=true', () => {
    const plain = { ...key, IDP_AUTHORITY: 'http://zitadel.example' };
    expect(problemsOf(plain)).toContain('IDP_AUTHORITY');
    expect(readApiEnv({ ...plain, ALLOW_INSECURE_HTTP: 'true' }).zitadel.issuer).toBe(
      'http://zitadel.example',
    );
    expect(readApiEnv({ ...key, IDP_AUTHORITY: 'http://localhost:8080' }).zitadel.issuer).toBe(
      'http://localhost:8080',
    );
  });
});

describe('API_CORS_ORIGINS', () => {
  const read = (origins: string) =>
    readApiEnv({ ...fields, ZITADEL_API_KEY_FILE: json, API_CORS_ORIGINS: origins }).corsOrigins;

  it('is normalized to origins as browsers send them', () => {
    expect(read('https://App.Example.com, http://localhost:80,https://a.example:8443')).toEqual([
      'https://app.example.com',
      'http://localhost',
      'https://a.example:8443',
    ]);
  });

  it.each(['*', 'app.example.com', 'https://a.example/', 'https://[a', 'https://me@a.example'])(
    'is refused when it is not an origin: %s',
    (origins) => expect(() => read(origins)).toThrow(ConfigError),
  );
});
