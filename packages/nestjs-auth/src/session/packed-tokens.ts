import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { SessionTooLarge } from '../auth.errors.js';
import type { SessionToken } from '../auth.types.js';

/** Limit after decompression: a hundred roles in two JWTs are 48 KB. */
const MAX_UNPACKED_BYTES = 256 * 1024;

/** Those 48 KB become 1.1 KB in 0.3 ms at this level, and 1.0 KB in 40 ms at the highest. */
const BROTLI_LEVEL = 5;

/** The compact serialization of a JWS or JWE (RFC 7515 7.1, RFC 7516 7.1), and opaque tokens in base64url. */
const COMPACT = /^[\w-]{16,}(?:\.[\w-]*){0,4}$/;

/** The decoded length of each part of a token; negative for a part that is stored uncompressed. */
type PartLengths = number[];

type Head = [rest: SessionToken, tokens: Record<string, PartLengths>];

const LENGTH_BYTES = 4;

/**
 * Compresses the content of a session. The base64url parts of each token are decoded; those that are JSON are compressed together,
 * so that claims repeated by profile, ID token and access token take almost no space.
 *
 * @throws `SessionTooLarge` when `unpacked` would refuse the result
 */
export function packed(token: SessionToken): Buffer {
  const rest: SessionToken = {};
  const tokens: Record<string, PartLengths> = {};
  const texts: Buffer[] = [];
  const blobs: Buffer[] = [];
  for (const [key, value] of Object.entries(token)) {
    const parts = typeof value === 'string' ? decodedParts(value) : undefined;
    if (!parts) rest[key] = value;
    else {
      tokens[key] = parts.map((part) => {
        (isJson(part) ? texts : blobs).push(part);
        return isJson(part) ? part.length : -part.length;
      });
    }
  }
  const head: Head = [rest, tokens];
  const text = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...texts]);
  if (text.length > MAX_UNPACKED_BYTES)
    throw new SessionTooLarge(text.length, MAX_UNPACKED_BYTES, largestMembers(token));
  const compressed = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_LEVEL } });
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(compressed.length);
  return Buffer.concat([length, compressed, ...blobs]);
}

/**
 * The inverse of `packed`, byte for byte.
 *
 * @throws for other input, and when the decompressed content exceeds its limit
 */
export function unpacked(bytes: Buffer): SessionToken {
  const compressedEnd = LENGTH_BYTES + bytes.readUInt32BE();
  const text = brotliDecompressSync(bytes.subarray(LENGTH_BYTES, compressedEnd), {
    maxOutputLength: MAX_UNPACKED_BYTES,
  });
  const headEnd = text.indexOf('\n');
  const [token, tokens] = JSON.parse(text.toString('utf8', 0, headEnd)) as Head;
  let textAt = headEnd + 1;
  let blobAt = compressedEnd;
  for (const [key, lengths] of Object.entries(tokens)) {
    token[key] = lengths
      .map((length) =>
        length >= 0
          ? text.toString('base64url', textAt, (textAt += length))
          : bytes.toString('base64url', blobAt, (blobAt -= length)),
      )
      .join('.');
  }
  return token;
}

/** The decoded parts of a token, or `undefined` where encoding them again would not give the same text. */
function decodedParts(value: string): Buffer[] | undefined {
  if (!COMPACT.test(value)) return undefined;
  const encoded = value.split('.');
  const parts = encoded.map((part) => Buffer.from(part, 'base64url'));
  return parts.every((part, index) => part.toString('base64url') === encoded[index]) ? parts : undefined;
}

const isJson = (part: Buffer) => part[0] === 0x7b || part.length === 0;

const MAX_MEMBERS = 3;
const MAX_NAME_LENGTH = 80;

/** The largest members of a session with their length as JSON, for an error message: claims of its tokens, and other members. */
export function largestMembers(token: SessionToken): string {
  const members = Object.entries(token).flatMap(([name, value]) => {
    const parts = membersOf(value);
    return parts
      ? Object.entries(parts).map(([member, part]) => [`${name}: ${member}`, lengthOf(part)] as const)
      : [[name, lengthOf(value)] as const];
  });
  return members
    .sort(([, one], [, other]) => other - one)
    .slice(0, MAX_MEMBERS)
    .map(([name, length]) => `${name.slice(0, MAX_NAME_LENGTH)} (${length})`)
    .join(', ');
}

/** The claims of a JWT (RFC 7519), or the members of an object. */
function membersOf(value: unknown): object | undefined {
  if (typeof value === 'object' && value !== null) return value;
  try {
    const [, payload = ''] = String(value).split('.');
    return Object(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))) as object;
  } catch {
    return undefined;
  }
}

const lengthOf = (value: unknown) => JSON.stringify(value ?? null).length;
