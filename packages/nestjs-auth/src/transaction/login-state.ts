import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a `state` says to the application that made it. */
export interface LoginState {
  /** names the check cookie; sorts by age */
  id: string;
  /** seconds since 1970 */
  issuedAt: number;
  /** 0, and 1 when the sign-in is not to be started again by itself */
  attempt: number;
  /** fingerprint of the browser it was made for */
  browser: string;
}

const KEY_BYTES = 32;
const RANDOM_BYTES = 16;
const MAC_BYTES = 16;

/** issuedAt, random, attempt, browser, signature */
type StateParts = [string, string, string, string, string];
const SHAPE = /^[0-9a-z]{1,9}\.[\w-]{22}\.[01]\.[\w-]{1,43}\.[\w-]{22}$/;

/**
 * Makes and reads the `state` of authorization requests: 128 random bits (RFC 6749 10.10, 10.12) and what it takes to tell
 * a callback that comes late from one that was made up, without keeping anything on the server.
 */
export class LoginStates {
  private readonly first: Buffer;
  private readonly keys: readonly Buffer[];

  /** @param secrets the first signs, all verify */
  constructor(secrets: readonly [string, ...string[]]) {
    const [first, ...others] = secrets;
    this.first = keyFrom(first);
    this.keys = [this.first, ...others.map(keyFrom)];
  }

  issue({ browser, attempt }: Pick<LoginState, 'browser' | 'attempt'>): { state: string; id: string } {
    const issuedAt = Math.floor(Date.now() / 1000).toString(36);
    const random = randomBytes(RANDOM_BYTES).toString('base64url');
    const content = [issuedAt, random, attempt, browser].join('.');
    return { state: `${content}.${mac(content, this.first)}`, id: idOf(issuedAt, random) };
  }

  /** `null` unless this application made it. Says nothing about its age. */
  read(state: string): LoginState | null {
    if (!SHAPE.test(state)) return null;
    const [issuedAt, random, attempt, browser, signature] = state.split('.') as StateParts;
    const content = state.slice(0, state.lastIndexOf('.'));
    // The text, not its bytes: several texts stand for the same bytes.
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
