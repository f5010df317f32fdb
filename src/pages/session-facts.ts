import type { Session, SessionToken } from '@mridang/nestjs-auth';
import type { TextKey } from '../texts/en.js';

/** What the profile page shows of a session. Times are seconds since 1970. */
export interface SessionFacts {
  signedInAt: number;
  /** a text of ours, or Zitadel's name */
  signedInHow: ({ text: TextKey } | { name: string })[];
  renewedAt: number | undefined;
  idleEnd: number;
  absoluteEnd: number;
}

/** Authentication methods (RFC 8176) that Zitadel names. */
const methods: Record<string, TextKey> = { pwd: 'how.pwd', otp: 'how.otp', user: 'how.user', mfa: 'how.mfa' };

/**
 * @param amr of the ID token; missing after a sign-in with an external identity provider
 * @param maxDurationSeconds absolute lifetime of a session
 */
export function sessionFacts(
  { expires }: Session,
  { start = 0, accessTokenRenewedAt }: SessionToken,
  amr: unknown,
  maxDurationSeconds: number,
): SessionFacts {
  const names = Array.isArray(amr) ? amr.map(String) : [];
  return {
    signedInAt: start,
    signedInHow: names.length > 0 ? names.map(described) : [{ text: 'how.unknown' }],
    renewedAt: accessTokenRenewedAt,
    idleEnd: Date.parse(expires) / 1000,
    absoluteEnd: start + maxDurationSeconds,
  };
}

function described(name: string): { text: TextKey } | { name: string } {
  const text = methods[name];
  return text ? { text } : { name };
}
