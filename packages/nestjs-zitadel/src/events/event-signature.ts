import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE_SECONDS = 300;

/** For how long one signature is accepted: Zitadel's clock may be ahead by the tolerance, too. */
export const SIGNATURE_LIFETIME_MS = 2 * TOLERANCE_SECONDS * 1000;

/**
 * Checks the header `zitadel-signature` of a webhook of Zitadel (Actions v2): `t=<seconds since 1970>,v1=<hex>`, with one `v1` or more.
 * A `v1` is the HMAC with SHA-256 over `t`, a dot and the body as it was received.
 *
 * @returns why the signature is refused; `undefined` where one of the keys made it, at most five minutes ago
 */
export function signatureProblem(
  header: string | string[] | undefined,
  body: Buffer,
  keys: readonly string[],
): string | undefined {
  const parts = typeof header === 'string' ? header.split(',').map((part) => part.trim()) : [];
  const valuesOf = (name: string) =>
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
  const [time = '', ...furtherTimes] = valuesOf('t');
  const signatures = valuesOf('v1').filter((value) => HEX.test(value));
  if (!/^\d{1,12}$/.test(time) || furtherTimes.length > 0 || signatures.length === 0)
    return 'zitadel-signature is missing or malformed';
  if (Math.abs(Date.now() / 1000 - Number(time)) > TOLERANCE_SECONDS)
    return `zitadel-signature was made more than ${TOLERANCE_SECONDS} s ago, or the clocks differ`;
  const isSignedBy = (key: string) => {
    const expected = createHmac('sha256', key).update(`${time}.`).update(body).digest();
    return signatures.some((signature) => timingSafeEqual(Buffer.from(signature, 'hex'), expected));
  };
  return keys.some(isSignedBy) ? undefined : 'zitadel-signature was made with another key';
}

/** 32 bytes. */
const HEX = /^[0-9a-f]{64}$/i;
