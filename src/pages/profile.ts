import type { Session, SessionToken } from '@mridang/nestjs-auth';
import type { TextKey } from '../texts/en.js';

/**
 * What the profile page shows of a user.
 *
 * @param issuer only pictures from there are shown: another site would learn who opens this page, and when
 */
export function profileOf({ user }: Session, issuer: string) {
  const name = user.name ?? user.email ?? user.id;
  return {
    id: user.id,
    name,
    initials: initialsOf(name),
    picture: pictureFrom(user.image, issuer),
    username: user.username,
    email: user.email ?? undefined,
    emailVerified: user.emailVerified,
    organization: user.organization,
    roles: user.roleGrants.map(({ role, organizations }) => ({
      role,
      grantedBy: organizations.map(({ domain, id }) => domain ?? id).join(', '),
    })),
    metadata: Object.entries(user.metadata).map(([key, value]) => ({ key, value })),
  };
}

function pictureFrom(address: string | null | undefined, issuer: string): string | undefined {
  if (!address || !URL.canParse(address)) return undefined;
  const { origin, href } = new URL(address);
  return origin === issuer ? href : undefined;
}

/** The first letters of the first and the last word. */
function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : words;
  return chosen.map((word) => firstLetter(word ?? '').toUpperCase()).join('');
}

const letters = new Intl.Segmenter();

/** Two characters of which none extends another: `Intl` takes longer than all else of this file. */
const SEPARATE = /^[^\u0300-\uffff]{1,2}$/;

/** The first grapheme. */
const firstLetter = (word: string) =>
  SEPARATE.test(word.slice(0, 2)) ? word.charAt(0) : (letters.segment(word).containing(0)?.segment ?? '');

/** Authentication methods (RFC 8176) that Zitadel names. */
const methods: Record<string, TextKey> = { pwd: 'how.pwd', otp: 'how.otp', user: 'how.user', mfa: 'how.mfa' };

/**
 * What the profile page shows of a session. Times are seconds since 1970.
 *
 * @param amr of the ID token; missing after a sign-in with an external identity provider
 * @param maxDurationSeconds absolute lifetime of a session
 */
export function sessionFactsOf(
  { expires }: Session,
  { start = 0, accessTokenRenewedAt }: SessionToken,
  amr: unknown,
  maxDurationSeconds: number,
) {
  const names = Array.isArray(amr) ? amr.map(String) : [];
  return {
    signedInAt: start,
    signedInHow: names.length > 0 ? names.map(described) : [{ text: 'how.unknown' satisfies TextKey }],
    renewedAt: accessTokenRenewedAt,
    idleEnd: Date.parse(expires) / 1000,
    absoluteEnd: start + maxDurationSeconds,
  };
}

/** A text of ours, or Zitadel's name. */
function described(name: string): { text: TextKey } | { name: string } {
  const text = methods[name];
  return text ? { text } : { name };
}
