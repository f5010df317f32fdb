import { examineIssuer } from '@mridang/nestjs-zitadel';
import { SetupError } from '../setup.error.js';
import { ManagementClient, ManagementRefused, type TokenSource } from './management-client.js';
import {
  administrators,
  applications,
  oneProject,
  oneUser,
  organizations,
  userinfo,
  type AdministratorMessage,
} from './messages.js';

/** The Zitadel of a set-up, and what the token may do there. */
export interface Connection {
  client: ManagementClient;
  /** the organization of the project; of the service user, unless another is asked for */
  organizationId: string;
  administrators: AdministratorMessage[];
}

/** The services of Management API v2 that setup calls first, and which 2025-10 does not have. */
const OLDER =
  'This Zitadel has no management API v2 for projects and applications (zitadel.project.v2, zitadel.application.v2): it is older than ' +
  'setup needs. v4.3 of 2025-10 is too old, the Zitadel of 2026-07 is new enough: upgrade it, or follow the steps for the console in docs/zitadel.md';

/**
 * Checks issuer, token and version before anything is made.
 *
 * @throws `SetupError` with what is wrong and what to do
 */
export async function connect(
  issuer: string,
  tokenSource: TokenSource,
  organization: string | undefined,
): Promise<Connection> {
  await checkIssuer(issuer);
  const client = new ManagementClient(issuer, tokenSource);
  const { sub } = await client.get('/oidc/v1/userinfo', userinfo).catch(explainToken);
  const own = await ownRoles(client, sub);
  if (own.length === 0) {
    throw new SetupError(
      `The service user ${sub} of this token has no role in Zitadel: give it ORG_OWNER of its organization, or PROJECT_OWNER of an existing project with --project`,
    );
  }
  const organizationId =
    organization === undefined ? await homeOf(client, sub) : await organizationNamed(client, organization);
  return { client, organizationId, administrators: own };
}

async function checkIssuer(issuer: string): Promise<void> {
  const { checks } = await examineIssuer({ issuer, allowInsecureHttp: true });
  const wrong = checks.find(({ id, status }) => id === 'issuer' && status === 'wrong');
  if (wrong) throw new SetupError(`--issuer: ${wrong.cause}. What to do: ${wrong.cure}`);
}

function explainToken(error: unknown): never {
  if (error instanceof ManagementRefused && error.status === 401) {
    throw new SetupError(
      'Zitadel does not accept this token: it is mistyped, has expired, was deleted or belongs to another Zitadel. Make a new one: console, Users, Service Users, your service user, Personal Access Tokens',
    );
  }
  throw error;
}

async function ownRoles(client: ManagementClient, userId: string): Promise<AdministratorMessage[]> {
  const filters = [{ inUserIdsFilter: { ids: [userId] } }];
  const method = 'internal_permission.v2.InternalPermissionService/ListAdministrators';
  try {
    const answer = await client.call(method, { filters }, administrators);
    return answer.administrators.filter(({ user }) => user.id === userId);
  } catch (error) {
    // an unknown service has a number as `code`, a missing role a word
    if (error instanceof ManagementRefused && error.status === 404 && error.code === undefined)
      throw new SetupError(OLDER);
    return explainToken(error);
  }
}

async function homeOf(client: ManagementClient, userId: string): Promise<string> {
  const { user } = await client.call('user.v2.UserService/GetUserByID', { userId }, oneUser);
  return user.details.resourceOwner;
}

// CreateProject of a token with IAM_OWNER makes a project in an organization that does not exist
async function organizationNamed(client: ManagementClient, name: string): Promise<string> {
  const queries = [{ nameQuery: { name, method: 'TEXT_QUERY_METHOD_EQUALS' } }];
  const method = 'org.v2.OrganizationService/ListOrganizations';
  const { result } = await client.call(method, { queries }, organizations);
  const found = result.find((one) => one.name === name);
  if (found) return found.id;
  throw new SetupError(
    `There is no organization "${name}" that this token may see: compare the name with the console, or leave out --organization to use that of the service user`,
  );
}

/** The project with that id, or of the application with that client id, where the token may see it. */
export async function projectOf(
  client: ManagementClient,
  { projectId: known, clientId }: { projectId: string | undefined; clientId: string | undefined },
) {
  const projectId = known ?? (clientId === undefined ? undefined : await projectIdOf(client, clientId));
  if (projectId === undefined) return undefined;
  try {
    const { project } = await client.call('project.v2.ProjectService/GetProject', { projectId }, oneProject);
    return project;
  } catch (error) {
    if (error instanceof ManagementRefused && (error.status === 404 || error.status === 403))
      return undefined;
    throw error;
  }
}

async function projectIdOf(client: ManagementClient, clientId: string): Promise<string | undefined> {
  const method = 'application.v2.ApplicationService/ListApplications';
  const { applications: found } = await client.call(
    method,
    { filters: [{ clientIdFilter: { clientId } }] },
    applications,
  );
  return found.find(({ oidcConfiguration }) => oidcConfiguration?.clientId === clientId)?.projectId;
}
