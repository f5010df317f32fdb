import type { Sandbox } from 'zitadel-sandbox';

type Json = Record<string, unknown>;

/** Calls the management API of a sandbox by hand, such as `project.v2.ProjectService/UpdateProject`. */
export async function manage<Answer = Json>(
  sandbox: Sandbox,
  method: string,
  message: Json,
): Promise<Answer> {
  const answer = await fetch(`${sandbox.issuer}/zitadel.${method}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${sandbox.personalAccessToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(message),
  });
  if (answer.status !== 200) throw new Error(`${method}: ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

export interface ManagedApplication {
  applicationId: string;
  projectId: string;
  name: string;
  state: string;
  oidcConfiguration: { clientId: string; redirectUris: string[]; grantTypes: string[] } & Json;
}

/** An application by its name, as Zitadel shows it. */
export async function applicationNamed(sandbox: Sandbox, name: string): Promise<ManagedApplication> {
  const { applications } = await manage<{ applications: ManagedApplication[] }>(
    sandbox,
    'application.v2.ApplicationService/ListApplications',
    { filters: [{ nameFilter: { name } }] },
  );
  const [found] = applications;
  if (!found) throw new Error(`There is no application ${name}`);
  return found;
}

/** Changes an application as somebody does in the console. */
export async function updateApplication(sandbox: Sandbox, name: string, configuration: Json): Promise<void> {
  const { applicationId, projectId } = await applicationNamed(sandbox, name);
  await manage(sandbox, 'application.v2.ApplicationService/UpdateApplication', {
    applicationId,
    projectId,
    ...configuration,
  });
}

/** A new service user with that role, or without one. Returns its personal access token. */
export async function serviceUserToken(
  sandbox: Sandbox,
  role?: { word: string; resource: Json },
): Promise<string> {
  const { id: userId } = await manage(sandbox, 'user.v2.UserService/CreateUser', {
    organizationId: acme,
    username: `robot-${role?.word ?? 'without-role'}-${sandbox.users.length}`,
    machine: { name: 'Robot' },
  });
  if (role) {
    const { word, resource } = role;
    const administrator = { userId, resource, roles: [word] };
    await manage(
      sandbox,
      'internal_permission.v2.InternalPermissionService/CreateAdministrator',
      administrator,
    );
  }
  const expirationDate = '2046-01-01T00:00:00Z';
  const { token } = await manage(sandbox, 'user.v2.UserService/AddPersonalAccessToken', {
    userId,
    expirationDate,
  });
  return String(token);
}

/** The id of the organization of the service user with IAM_OWNER. */
export const acme = '320000000000000001';
