import { randomBytes } from 'node:crypto';
import { newId } from './ids.js';
import { nowSeconds } from './now.js';
import { LatestMap } from './latest.map.js';
import type { MemoryStore } from './memory.adapter.js';
import type { Context, Provider, Session } from './provider.js';
import type { SandboxUser } from './users.js';

const cookieName = 'zitadel.useragent';
/** 188 characters, as many as the sealed id of Zitadel has */
const cookieBytes = 141;
const cookieAttributes = 'Path=/; Domain=localhost; Max-Age=31536000; HttpOnly; SameSite=Lax';
const keptBrowsers = 10_000;
const sessionLifetimeSeconds = 24 * 3600;

/** Who is signed in where. A browser may hold the sessions of several people at once. */
export class BrowserSessions {
  private readonly sidsByAgent = new LatestMap<string, string[]>(keptBrowsers);
  // kept beyond the end of a session: its ID token may still be a hint
  private readonly agentBySid = new LatestMap<string, string>(keptBrowsers);
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
    ctx.append('Set-Cookie', `${cookieName}=${agent}; ${cookieAttributes}`);
    return agent;
  }

  /** The living sessions of a browser, the latest first. */
  async of(ctx: Context): Promise<Session[]> {
    return this.living(this.sidsByAgent.get(this.agentOf(ctx)) ?? []);
  }

  /** This session and all others of its browser, as far as they live; it may itself have been replaced or ended. */
  async besides(sid: string): Promise<Session[]> {
    const current = this.sidsByAgent.get(this.agentBySid.get(sid) ?? '') ?? [];
    return this.living([...new Set([sid, ...current])]);
  }

  /**
   * Signs a user in; an earlier session of the same user in this browser gives way. Session ids of Login V1 have a
   * prefix, those of V2 are plain digits.
   */
  async start(ctx: Context, user: SandboxUser, loginVersion: 1 | 2): Promise<Session> {
    const agent = this.agentOf(ctx);
    const session = new this.provider.Session();
    session.jti = loginVersion === 1 ? `V1_${newId()}` : newId();
    session.loginAccount({ accountId: user.id, loginTs: nowSeconds(), amr: ['pwd'] });
    await session.save(sessionLifetimeSeconds);
    const others = (await this.of(ctx)).filter(({ accountId }) => accountId !== user.id);
    this.agentBySid.set(session.jti, agent);
    this.sidsByAgent.set(agent, [session.jti, ...others.map(({ jti }) => jti)]);
    return session;
  }

  async find(sid: string): Promise<Session | undefined> {
    return this.provider.Session.find<Session>(sid);
  }

  /** Remembers that a client got tokens in this session, so that it can be told when the session ends. */
  async addClient(sid: string, clientId: string): Promise<void> {
    const session = await this.find(sid);
    if (!session) return;
    session.sidFor(clientId, sid);
    await session.persist();
  }

  /** Ends a session and the access tokens of it. Its refresh tokens live on, as they do in Zitadel. */
  async end(sid: string): Promise<{ session: Session; clientIds: string[] } | undefined> {
    const session = await this.find(sid);
    await session?.destroy();
    this.store.removeBySid('AccessToken', sid);
    return session && { session, clientIds: Object.keys(session.authorizations ?? {}) };
  }

  private async living(sids: string[]): Promise<Session[]> {
    const found = await Promise.all(sids.map((sid) => this.find(sid)));
    return found.filter((session) => session !== undefined);
  }
}
