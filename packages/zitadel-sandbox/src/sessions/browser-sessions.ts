import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { SandboxUser } from '../directory/users.js';
import { BoundedMap } from '../storage/bounded-map.js';
import { newId } from '../storage/ids.js';
import type { MemoryStore } from '../storage/memory.adapter.js';
import { nowSeconds } from '../storage/now.js';
import type { Context, Provider, Session } from '../storage/provider.js';

const cookieName = 'zitadel.useragent';
/** 188 characters, as many as the sealed id of Zitadel has */
const cookieBytes = 141;
const cookieAttributes = 'Max-Age=31536000; HttpOnly; SameSite=Lax';
const kept = 10_000;
const sessionLifetimeSeconds = 24 * 3600;
const v1Prefix = 'V1_';

/** A session that has just ended, and the clients that got tokens in it: once for each code exchange. */
export interface EndedSession {
  session: Session;
  clientIds: string[];
}

/**
 * Who is signed in where. A browser may hold the sessions of several people at once; Login V1 and Login V2 know
 * nothing of each other's.
 */
export class BrowserSessions {
  private readonly sidsByBrowser = new BoundedMap<string, string[]>(kept);
  // kept beyond the end of a session: its ID token may still be a hint
  private readonly browserBySid = new BoundedMap<string, string>(kept);
  private readonly clientIdsBySid = new BoundedMap<string, string[]>(kept);
  private readonly newAgents = new WeakMap<Context, string>();

  constructor(
    private readonly provider: Provider,
    private readonly store: MemoryStore,
  ) {}

  /** The browser's id from its cookie; a new browser gets one. */
  agentOf(ctx: Context): string {
    const known = ctx.cookies.get(cookieName) ?? this.newAgents.get(ctx);
    if (known) return known;
    const agent = randomBytes(cookieBytes).toString('base64url');
    this.newAgents.set(ctx, agent);
    // browsers refuse a domain that is not the host's, and Login V2 may be on an address
    const domain = isIP(ctx.hostname) === 0 && ctx.hostname !== '[::1]' ? 'Domain=localhost; ' : '';
    ctx.append('Set-Cookie', `${cookieName}=${agent}; Path=/; ${domain}${cookieAttributes}`);
    return agent;
  }

  /** The living sessions that a login UI has in a browser, the latest first. */
  async of(ctx: Context, loginVersion: 1 | 2): Promise<Session[]> {
    return this.living(this.sidsByBrowser.get(this.browserOf(ctx, loginVersion)) ?? []);
  }

  /** This session and all others of its browser, as far as they live; it may itself have ended. */
  async besides(sid: string): Promise<Session[]> {
    const current = this.sidsByBrowser.get(this.browserBySid.get(sid) ?? '') ?? [];
    return this.living([...new Set([sid, ...current])]);
  }

  /**
   * Signs a user in. Session ids of Login V1 have a prefix, those of V2 are plain digits. With Login V1 a user has one
   * session in a browser, which a new sign-in makes younger. With Login V2 the new one takes the older one's place in
   * the browser's list; that one lives on at the server.
   */
  async start(ctx: Context, user: SandboxUser, loginVersion: 1 | 2): Promise<Session> {
    const known = await this.of(ctx, loginVersion);
    const earlier = known.find(({ accountId }) => accountId === user.id);
    const session = (loginVersion === 1 && earlier) || this.create(loginVersion);
    session.loginAccount({ accountId: user.id, loginTs: nowSeconds(), amr: ['pwd'] });
    await session.save(sessionLifetimeSeconds);
    const browser = this.browserOf(ctx, loginVersion);
    const others = known.filter(({ accountId }) => accountId !== user.id);
    this.browserBySid.set(session.jti, browser);
    this.sidsByBrowser.set(browser, [session.jti, ...others.map(({ jti }) => jti)]);
    return session;
  }

  async find(sid: string): Promise<Session | undefined> {
    return this.provider.Session.find<Session>(sid);
  }

  /** Remembers that a client got tokens in this session, so that it can be told when the session ends. */
  async addClient(sid: string, clientId: string): Promise<void> {
    if (!(await this.find(sid))) return;
    this.clientIdsBySid.set(sid, [...(this.clientIdsBySid.get(sid) ?? []), clientId]);
  }

  /** Ends a session and the access tokens of it. Its refresh tokens live on, as they do in Zitadel. */
  async end(sid: string): Promise<EndedSession | undefined> {
    const session = await this.find(sid);
    if (!session) return undefined;
    await session.destroy();
    this.store.removeBySid('AccessToken', sid);
    const clientIds = this.clientIdsBySid.get(sid) ?? [];
    this.clientIdsBySid.set(sid, []);
    return { session, clientIds };
  }

  /** What Login V1 has of this user ends, and nobody is told. Sessions of Login V2 stay. */
  endV1SessionsOf(userId: string): void {
    this.store.remove('Session', (session) => session.accountId === userId && isV1(session.jti));
  }

  /** No client will be told of the end of this user's sessions of Login V1. */
  forgetClientsOf(userId: string): void {
    this.store.each('Session', ({ accountId, jti }) => {
      if (accountId === userId && isV1(jti)) this.clientIdsBySid.set(jti ?? '', []);
    });
  }

  private browserOf(ctx: Context, loginVersion: 1 | 2): string {
    return `${loginVersion} ${this.agentOf(ctx)}`;
  }

  private create(loginVersion: 1 | 2): Session {
    const session = new this.provider.Session();
    session.jti = loginVersion === 1 ? `${v1Prefix}${newId()}` : newId();
    return session;
  }

  private async living(sids: string[]): Promise<Session[]> {
    const found = await Promise.all(sids.map((sid) => this.find(sid)));
    return found.filter((session) => session !== undefined);
  }
}

function isV1(sid: string | undefined): boolean {
  return sid?.startsWith(v1Prefix) ?? false;
}
