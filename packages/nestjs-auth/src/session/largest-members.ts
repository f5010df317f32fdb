import type { SessionToken } from '../auth.types.js';

const MAX_MEMBERS = 3;
const MAX_NAME_LENGTH = 80;

/** What takes most room in a session, with its length as JSON: a claim of a token in it, or what a callback has put there. */
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
