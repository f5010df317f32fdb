import { hkdfSync, randomBytes } from 'node:crypto';
import { brotliCompressSync, constants } from 'node:zlib';
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { compactDecrypt } from 'jose';
import { packed, unpacked } from '../src/session/packed-tokens.js';
import { JweKey } from '../src/session/jwe-key.js';
import { SessionCodec } from '../src/session/session-codec.js';

const base = {
  secrets: ['a secret for the tests that is long enough'],
  cookieName: 'session',
  maxAgeSeconds: 3600,
  maxLifetimeSeconds: 43_200,
};
const codec = new SessionCodec(base);

const base64url = (content: string | Buffer) => Buffer.from(content).toString('base64url');
const jwt = fc
  .tuple(fc.jsonValue(), fc.uint8Array({ minLength: 32, maxLength: 256 }))
  .map(([claims, signature]) =>
    [
      base64url('{"alg":"RS256","kid":"320000000000000001"}'),
      base64url(JSON.stringify({ claims })),
      base64url(Buffer.from(signature)),
    ].join('.'),
  );
const jwe = fc
  .array(fc.uint8Array({ maxLength: 96 }), { minLength: 5, maxLength: 5 })
  .map((parts) => parts.map((part) => base64url(Buffer.from(part))).join('.'));
const tokenText = fc.oneof(
  jwt,
  jwe,
  fc.string({ unit: 'binary' }),
  fc.base64String(),
  fc.constantFrom('', '.', '..', 'AB', 'AA.AB', '....'),
);
const tokenSet = fc.record({
  sub: fc.string(),
  accessToken: tokenText,
  refreshToken: fc.option(tokenText, { nil: undefined }),
  idToken: tokenText,
  profile: fc.jsonValue(),
});

describe('unpacked()', () => {
  it('returns every packed token set unchanged', () => {
    fc.assert(
      fc.property(tokenSet, (tokens) => {
        expect(unpacked(packed(tokens))).toEqual(JSON.parse(JSON.stringify(tokens)));
      }),
      { numRuns: 500 },
    );
  });

  it('decompresses 262,144 bytes at most', () => {
    const bomb = brotliCompressSync(Buffer.alloc(16 * 1024 * 1024), {
      params: { [constants.BROTLI_PARAM_QUALITY]: 1 },
    });
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bomb.length);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => unpacked(Buffer.concat([length, bomb]))).toThrow(
      'Cannot create a Buffer larger than 262144 bytes',
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  });
});

describe('SessionCodec', () => {
  it('returns null for a content of its key that is no session', () => {
    const [secret = ''] = base.secrets;
    const use = 'nestjs-auth session A256GCM';
    const key = new JweKey({ secret, salt: base.cookieName, use, isNamed: true });
    expect(codec.seal({ sub: 'u1' }).value.startsWith(`${key.header}..`)).toBe(true);
    expect(codec.open(key.encrypt('of another version'))).toBeNull();
  });

  it('opens every token set that it sealed', () => {
    fc.assert(
      fc.property(tokenSet, (tokens) => {
        expect(codec.open(codec.seal(tokens).value)).toMatchObject(
          JSON.parse(JSON.stringify(tokens)) as object,
        );
      }),
      { numRuns: 200 },
    );
  });

  it('seals as a JWE that any library can decrypt with the key', async () => {
    const { value, token } = codec.seal({ sub: 'u1', accessToken: base64url(randomBytes(300)) });
    const key = hkdfSync('sha256', base.secrets[0] ?? '', base.cookieName, 'nestjs-auth session A256GCM', 32);
    const { plaintext, protectedHeader } = await compactDecrypt(value, new Uint8Array(key));
    expect(protectedHeader).toEqual({ alg: 'dir', enc: 'A256GCM', kid: expect.stringMatching(/^[\w-]{8}$/) });
    expect(unpacked(Buffer.from(plaintext))).toEqual(token);
  });

  it('returns null for arbitrary text and never throws', () => {
    const { value } = codec.seal({ sub: 'u1', accessToken: base64url(randomBytes(300)) });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }),
          jwe,
          fc.nat(value.length - 1).map((end) => value.slice(0, end)),
        ),
        (text) => {
          expect(codec.open(text)).toBeNull();
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('returns null after a change of any character', () => {
    const { value } = codec.seal({ sub: 'u1' });
    for (let index = 0; index < value.length; index++) {
      const other = value[index] === 'A' ? 'B' : 'A';
      expect(codec.open(value.slice(0, index) + other + value.slice(index + 1))).toBeNull();
    }
  });

  it('does not parse a value longer than cookies can be', () => {
    const split = jest.spyOn(String.prototype, 'split');
    const opened = codec.open('A.'.repeat(10_000_000));
    const looks = split.mock.calls.length;
    split.mockRestore();
    expect([opened, looks]).toEqual([null, 0]);
  });

  it('opens with every secret and seals with the first', () => {
    const [first, second] = ['the first secret that is long enough', 'the second secret that is long enough'];
    const old = new SessionCodec({ ...base, secrets: [second] });
    const rotated = new SessionCodec({ ...base, secrets: [first, second] });
    const current = new SessionCodec({ ...base, secrets: [first] });
    expect(rotated.open(old.seal({ sub: 'u1' }).value)).toMatchObject({ sub: 'u1' });
    expect(current.open(rotated.seal({ sub: 'u1' }).value)).toMatchObject({ sub: 'u1' });
    expect(current.open(old.seal({ sub: 'u1' }).value)).toBeNull();
  });

  it('binds a value to the name of its cookie', () => {
    const other = new SessionCodec({ ...base, cookieName: '__Host-session' });
    expect(other.open(codec.seal({ sub: 'u1' }).value)).toBeNull();
  });

  it('needs at least one secret', () => {
    expect(() => new SessionCodec({ ...base, secrets: [] })).toThrow('at least one secret');
  });

  it('keeps the start of a session and ends it after maxLifetimeSeconds', () => {
    const now = Date.now() / 1000;
    const { token } = codec.seal({ sub: 'u1', start: now - 43_000 });
    expect(token.exp).toBeCloseTo(now + 200, 0);
    expect(token).toMatchObject({ start: now - 43_000 });
    expect(codec.open(codec.seal({ sub: 'u1', start: now - 43_201 }).value)).toBeNull();
  });
});

describe('the session cookie', () => {
  const roles = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [
      `project-role-${['reader', 'writer', 'owner', 'auditor'][index % 4]}-${index}`,
      { '320000000000000001': 'acme.example' },
    ]),
  );
  const claims = {
    iss: 'https://my-instance.zitadel.cloud',
    sub: '320000000000000011',
    aud: ['320000000000000101', '320000000000000102', '320000000000000103', '320000000000000100'],
    exp: 1_800_000_000,
    iat: 1_790_000_000,
    'urn:zitadel:iam:org:project:roles': roles,
    'urn:zitadel:iam:org:project:320000000000000100:roles': roles,
  };
  const signed = (payload: object) =>
    [
      base64url('{"alg":"RS256","kid":"320000000000000777","typ":"JWT"}'),
      base64url(JSON.stringify(payload)),
      base64url(randomBytes(256)),
    ].join('.');
  const opaque = () => [60, 48, 12, 90, 16].map((length) => base64url(randomBytes(length))).join('.');
  const user = {
    id: claims.sub,
    name: 'Alice Archer',
    email: 'alice@acme.example',
    roles: Object.keys(roles),
  };
  /** name, attributes and `=` of a session cookie on https */
  const overhead = '__Host-authjs.session-token=; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax'
    .length;

  it.each([
    [
      'opaque tokens',
      {
        idToken: signed({ ...claims, 'urn:zitadel:iam:org:project:roles': undefined }),
        accessToken: opaque(),
      },
    ],
    [
      'JWTs with 100 roles each',
      {
        idToken: signed({ ...claims, sid: '1', nonce: base64url(randomBytes(32)) }),
        accessToken: signed({ ...claims, jti: 'at_1' }),
      },
    ],
  ])('stays below 4096 bytes with %s', (_name, tokens) => {
    const { value } = codec.seal({ sub: claims.sub, profile: user, refreshToken: opaque(), ...tokens });
    expect(value.length + overhead).toBeLessThan(4096);
  });
});
