import { randomBytes } from 'node:crypto';
import { ManagementClient, tokenFromFile } from 'zitadel-setup';
import { z } from 'zod';
import { until } from './until.js';

/** A user of the throw-away organization. */
export interface Person {
  id: string;
  loginName: string;
  password: string;
}

/** A service user, with every kind of credential. */
export interface ServiceUser {
  loginName: string;
  id: string;
  secret: string;
  key: { keyId: string; key: string; userId: string };
  personalAccessToken: string;
}

const made = z.object({ id: z.string() });
const seconds = z.string().regex(/^\d+s$/);
const lifetimes = z.object({
  accessTokenLifetime: seconds,
  idTokenLifetime: seconds,
  refreshTokenIdleExpiration: seconds,
  refreshTokenExpiration: seconds,
});
type TokenLifetimes = z.infer<typeof lifetimes>;

const organizations = 'org.v2.OrganizationService';
const users = 'user.v2.UserService';
const authorizations = 'authorization.v2.AuthorizationService';
const nothing = z.object({});

/** An organization with its users in any Zitadel, which `remove` deletes with everything in it. */
export class ThrowAway {
  private before: TokenLifetimes | undefined;

  private constructor(
    readonly client: ManagementClient,
    readonly name: string,
    readonly id: string,
  ) {}

  static async create(issuer: string, patFile: string): Promise<ThrowAway> {
    const client = new ManagementClient(issuer, tokenFromFile(patFile));
    const name = process.env['ZITADEL_TEST_ORGANIZATION'] ?? `sign-in-test-${randomBytes(4).toString('hex')}`;
    const schema = z.object({ organizationId: z.string() });
    const { organizationId } = await client.call(`${organizations}/AddOrganization`, { name }, schema);
    return new ThrowAway(client, name, organizationId);
  }

  async person(givenName: string): Promise<Person> {
    const password = `Aa1!${randomBytes(9).toString('base64url')}`;
    const { id } = await this.client.call(
      `${users}/CreateUser`,
      {
        organizationId: this.id,
        username: `${givenName.toLowerCase()}-${this.name}`,
        human: {
          profile: { givenName, familyName: 'Test' },
          email: { email: `${givenName.toLowerCase()}@example.com`, isVerified: true },
          password: { password, changeRequired: false },
        },
      },
      made,
    );
    return { id, loginName: await this.loginNameOf(id), password };
  }

  async serviceUser(): Promise<ServiceUser> {
    const machine = { name: 'Robot', accessTokenType: 'ACCESS_TOKEN_TYPE_BEARER' };
    const user = { organizationId: this.id, username: `robot-${this.name}`, machine };
    const { id: userId } = await this.client.call(`${users}/CreateUser`, user, made);
    const expirationDate = new Date(Date.now() + 24 * 60 * 60_000).toISOString();
    const { clientSecret } = await this.client.call(
      `${users}/AddSecret`,
      { userId },
      z.object({ clientSecret: z.string() }),
    );
    const { keyContent } = await this.client.call(
      `${users}/AddKey`,
      { userId, expirationDate },
      z.object({ keyContent: z.base64() }),
    );
    const { token } = await this.client.call(
      `${users}/AddPersonalAccessToken`,
      { userId, expirationDate },
      z.object({ token: z.string() }),
    );
    const key = JSON.parse(Buffer.from(keyContent, 'base64').toString()) as ServiceUser['key'];
    const loginName = await this.loginNameOf(userId);
    return { id: userId, loginName, secret: clientSecret, key, personalAccessToken: token };
  }

  /** Replaces the roles of a user in a project. */
  async setRoles({ id }: Person, projectId: string, roleKeys: string[]): Promise<void> {
    const filters = [{ inUserIds: { ids: [id] } }, { projectId: { id: projectId } }];
    const list = z.object({ authorizations: z.array(made).default([]) });
    const found = await this.client.call(`${authorizations}/ListAuthorizations`, { filters }, list);
    const [authorization] = found.authorizations;
    await this.client.call(
      `${authorizations}/UpdateAuthorization`,
      { id: authorization?.id, roleKeys },
      nothing,
    );
  }

  async deactivate({ id: userId }: Person): Promise<void> {
    await this.client.call(`${users}/DeactivateUser`, { userId }, nothing);
  }

  /** Shortens the lifetime of access tokens of the whole Zitadel until `remove`. Resolves to whether the token may. */
  async shortenAccessTokens(seconds: number): Promise<boolean> {
    try {
      const { settings } = await this.client.get(
        '/admin/v1/settings/oidc',
        z.object({ settings: lifetimes }),
      );
      // Before the change: it may take effect although no response arrives.
      this.before = settings;
      await this.setLifetimes({ ...settings, accessTokenLifetime: `${seconds}s` });
      return true;
    } catch {
      return false;
    }
  }

  async remove(): Promise<void> {
    // "No changes" is an error.
    if (this.before) await this.setLifetimes(this.before).catch(() => undefined);
    await this.client.call(`${organizations}/DeleteOrganization`, { organizationId: this.id }, nothing);
  }

  /** Whether Zitadel still shows the organization. */
  async isThere(): Promise<boolean> {
    const queries = [{ nameQuery: { name: this.name, method: 'TEXT_QUERY_METHOD_EQUALS' } }];
    const list = z.object({ result: z.array(z.object({})).default([]) });
    return (
      (await this.client.call(`${organizations}/ListOrganizations`, { queries }, list)).result.length > 0
    );
  }

  private async loginNameOf(userId: string): Promise<string> {
    const list = z.object({ result: z.array(z.object({ preferredLoginName: z.string() })).default([]) });
    const queries = [{ inUserIdsQuery: { userIds: [userId] } }];
    let loginName: string | undefined;
    await until(async () => {
      loginName = (await this.client.call(`${users}/ListUsers`, { queries }, list)).result[0]
        ?.preferredLoginName;
      return loginName !== undefined;
    });
    return String(loginName);
  }

  private setLifetimes(wanted: TokenLifetimes) {
    return this.client.put('/admin/v1/settings/oidc', wanted, nothing);
  }
}
