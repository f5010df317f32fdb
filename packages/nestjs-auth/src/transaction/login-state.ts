import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** The content of a `state` parameter. */
export interface LoginState {
  /** suffix of the name of the check cookie; sorts by age */
  id: string;
  /** seconds since 1970 */
  issuedAt: number;
  /** 0, or 1 when the sign-in must not be restarted automatically */
  attempt: number;
  /** fingerprint of the browser that started the sign-in */
  browser: string;
}

const KEY_BYTES = 32;
const RANDOM_BYTES = 16;
const MAC_BYTES = 16;

/** issuedAt, random, attempt, browser, signature */
type StateParts = [string, string, string, string, string];
const SHAPE = /^[0-9a-z]{1,9}\.[\w-]{22}\.[01]\.[\w-]{1,43}\.[\w-]{22}$/;

/**
 * Issues and verifies the `state` of authorization requests: 128 random bits (RFC 6749 10.10, 10.12), and signed content that
 * distinguishes a late callback from a forged one, without storage on the server.
 */
export class LoginStates {
  private readonly current: Buffer;
  private readonly keys: readonly Buffer[];

  /** @param secrets the first signs, every one verifies */
  constructor(secrets: readonly [string, ...string[]]) {
    const [first, ...others] = secrets;
    this.current = keyFrom(first);
    this.keys = [this.current, ...others.map(keyFrom)];
  }

  issue({ browser, attempt }: Pick<LoginState, 'browser' | 'attempt'>): { state: string; id: string } {
    const issuedAt = Math.floor(Date.now() / 1000).toString(36);
    const random = randomBytes(RANDOM_BYTES).toString('base64url');
    const content = [issuedAt, random, attempt, browser].join('.');
    return { state: `${content}.${mac(content, this.current)}`, id: idOf(issuedAt, random) };
  }

  /** Returns `null` unless this application has issued the `state`. Does not check its age. */
  verify(state: string): LoginState | null {
    if (!SHAPE.test(state)) return null;
    const [issuedAt, random, attempt, browser, signature] = state.split('.') as StateParts;
    const content = state.slice(0, state.lastIndexOf('.'));
    // Compare the text, not the bytes: several base64url texts decode to the same bytes.
    const given = Buffer.from(signature);
    if (!this.keys.some((key) => timingSafeEqual(Buffer.from(mac(content, key)), given))) return null;
    return {
      id: idOf(issuedAt, random),
      issuedAt: Number.parseInt(issuedAt, 36),
      attempt: Number(attempt),
      browser,
    };
  }
}

const keyFrom = (secret: string) =>
  Buffer.from(hkdfSync('sha256', secret, '', 'nestjs-auth login state', KEY_BYTES));

const idOf = (issuedAt: string, random: string) => `${issuedAt}-${random.slice(0, 8)}`;

const mac = (content: string, key: Buffer) =>
  createHmac('sha256', key).update(content).digest().subarray(0, MAC_BYTES).toString('base64url');
