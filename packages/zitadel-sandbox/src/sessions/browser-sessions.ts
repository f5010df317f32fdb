import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { SandboxUser } from '../directory/users.js';
import { BoundedMap } from '../storage/bounded-map.js';
import { newId } from '../storage/ids.js';
import type { MemoryStore } from '../storage/memory.adapter.js';
import { nowSeconds } from '../storage/now.js';
import type { Context, Provider, Session } from '../storage/provider.js';

const cookieName = 'zitadel.useragent';
/** encoded as 188 characters, the length of Zitadel's encrypted id */
const cookieBytes = 141;
const cookieAttributes = 'Max-Age=31536000; HttpOnly; SameSite=Lax';
const maxEntries = 10_000;
const sessionLifetimeSeconds = 24 * 3600;
const v1Prefix = 'V1_';

/** The authentication methods of a sign-in, without a second factor and with one. */
export const passwordAmr = ['pwd'];
const fullAmr = { none: passwordAmr, totp: ['pwd', 'otp', 'mfa'], passkey: ['user', 'mfa'] };

/** A session that has ended, and the clients that got tokens in it, with one entry per code exchange. */
export interface EndedSession {
  session: Session;
  clientIds: string[];
}

/**
 * The sessions of each browser. A browser may have sessions of several users; Login V1 and Login V2 have separate
 * sessions.
 */
export class BrowserSessions {
  private readonly sidsByBrowser = new BoundedMap<string, string[]>(maxEntries);
  // not deleted when a session ends: its ID token is still a valid `id_token_hint`
  private readonly browserBySid = new BoundedMap<string, string>(maxEntries);
  private readonly clientIdsBySid = new BoundedMap<string, string[]>(maxEntries);
  private readonly newBrowserIds = new WeakMap<Context, string>();

  constructor(
    private readonly provider: Provider,
    private readonly store: MemoryStore,
  ) {}

  /** Returns the browser's id from its cookie; sets the cookie in a new browser. */
  ensureBrowserId(ctx: Context): string {
    const known = ctx.cookies.get(cookieName) ?? this.newBrowserIds.get(ctx);
    if (known) return known;
    const id = randomBytes(cookieBytes).toString('base64url');
    this.newBrowserIds.set(ctx, id);
    // browsers reject a cookie whose domain is not the host's, and Login V2 may be on an IP address
    const domain = isIP(ctx.hostname) === 0 && ctx.hostname !== '[::1]' ? 'Domain=localhost; ' : '';
    ctx.append('Set-Cookie', `${cookieName}=${id}; Path=/; ${domain}${cookieAttributes}`);
    return id;
  }

  /** The active sessions of a login UI in this browser, latest first. */
  async list(ctx: Context, loginVersion: 1 | 2): Promise<Session[]> {
    return this.findAll(this.sidsByBrowser.get(this.browserKey(ctx, loginVersion)) ?? []);
  }

  /** The active sessions of the browser that this session belongs to, even if it has ended. */
  async listOfSameBrowser(sid: string): Promise<Session[]> {
    const current = this.sidsByBrowser.get(this.browserBySid.get(sid) ?? '') ?? [];
    return this.findAll([...new Set([sid, ...current])]);
  }

  /**
   * Signs a user in, by default with everything the user has set up. With Login V1 a user has one session per browser, which a new sign-in renews. With Login V2 a new
   * session replaces the user's earlier session in the browser's list; the earlier session stays active. Session ids of
   * Login V1 have a prefix, those of Login V2 are digits only.
   */
  async start(
    ctx: Context,
    user: SandboxUser,
    loginVersion: 1 | 2,
    amr = fullAmr[user.secondFactor ?? 'none'],
  ): Promise<Session> {
    const known = await this.list(ctx, loginVersion);
    const earlier = known.find(({ accountId }) => accountId === user.id);
    const session = await this.signIn(
      (loginVersion === 1 && earlier) || this.create(loginVersion),
      user,
      amr,
    );
    const browser = this.browserKey(ctx, loginVersion);
    const others = known.filter(({ accountId }) => accountId !== user.id);
    this.browserBySid.set(session.jti, browser);
    this.sidsByBrowser.set(browser, [session.jti, ...others.map(({ jti }) => jti)]);
    return session;
  }

  /** Signs a user in through the session API, in no browser that the sandbox knows. */
  startWithoutBrowser(user: SandboxUser, amr: string[]): Promise<Session> {
    return this.signIn(this.create(2), user, amr);
  }

  /** The active sessions of Login V2, of all browsers. */
  listV2(): Promise<Session[]> {
    const sids: string[] = [];
    this.store.forEach('Session', ({ jti }) => {
      if (jti !== undefined && !isV1(jti)) sids.push(jti);
    });
    return this.findAll(sids);
  }

  async find(sid: string): Promise<Session | undefined> {
    return this.provider.Session.find<Session>(sid);
  }

  /** Records that a client got tokens in this session, for back-channel logout. */
  async addClient(sid: string, clientId: string): Promise<void> {
    if (!(await this.find(sid))) return;
    this.clientIdsBySid.set(sid, [...(this.clientIdsBySid.get(sid) ?? []), clientId]);
  }

  /** Ends a session and revokes its access tokens. As in Zitadel, its refresh tokens stay valid. */
  async end(sid: string): Promise<EndedSession | undefined> {
    const session = await this.find(sid);
    if (!session) return undefined;
    await session.destroy();
    this.store.removeBySid('AccessToken', sid);
    const clientIds = this.clientIdsBySid.get(sid) ?? [];
    this.clientIdsBySid.set(sid, []);
    return { session, clientIds };
  }

  /** Ends the user's sessions of Login V1, without back-channel logout. Sessions of Login V2 stay active. */
  endV1SessionsOf(userId: string): void {
    this.store.removeWhere('Session', (session) => session.accountId === userId && isV1(session.jti));
  }

  /** Excludes the user's sessions of Login V1 from back-channel logout. */
  forgetClientsOf(userId: string): void {
    this.store.forEach('Session', ({ accountId, jti }) => {
      if (accountId === userId && isV1(jti)) this.clientIdsBySid.set(jti ?? '', []);
    });
  }

  private browserKey(ctx: Context, loginVersion: 1 | 2): string {
    return `${loginVersion} ${this.ensureBrowserId(ctx)}`;
  }

  private async signIn(session: Session, user: SandboxUser, amr: string[]): Promise<Session> {
    session.loginAccount({ accountId: user.id, loginTs: nowSeconds(), amr });
    await session.save(sessionLifetimeSeconds);
    return session;
  }

  private create(loginVersion: 1 | 2): Session {
    const session = new this.provider.Session();
    session.jti = loginVersion === 1 ? `${v1Prefix}${newId()}` : newId();
    return session;
  }

  private async findAll(sids: string[]): Promise<Session[]> {
    const found = await Promise.all(sids.map((sid) => this.find(sid)));
    return found.filter((session) => session !== undefined);
  }
}

export function isV1(sid: string | undefined): boolean {
  return sid?.startsWith(v1Prefix) ?? false;
}
