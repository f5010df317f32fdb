import type { Sandbox } from '../../src/index.js';

/** An answer of the management API; `body` is its JSON. */
export interface Managed {
  status: number;
  body: Record<string, unknown>;
}

/** A call by Connect, such as `project.v2.ProjectService/CreateProject`. */
export async function manage(
  sandbox: Sandbox,
  method: string,
  message: object,
  token = sandbox.personalAccessToken,
): Promise<Managed> {
  const answer = await fetch(`${sandbox.issuer}/zitadel.${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(message),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** A call by a REST path, such as `POST /v2/sessions`. */
export async function managed(
  sandbox: Sandbox,
  route: `${string} ${string}`,
  message?: object,
  token = sandbox.personalAccessToken,
): Promise<Managed> {
  const [method = '', path = ''] = route.split(' ');
  const answer = await fetch(sandbox.issuer + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(message && { body: JSON.stringify(message) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** The id of the organization Acme. */
export const acme = '320000000000000001';

/** Makes a project with the role admin and a web application. Returns their ids. */
export async function madeProject(
  sandbox: Sandbox,
): Promise<{ projectId: string; applicationId: string; clientId: string }> {
  const project = await manage(sandbox, 'project.v2.ProjectService/CreateProject', {
    organizationId: acme,
    name: 'Made',
    projectRoleAssertion: true,
  });
  const projectId = String(project.body['projectId']);
  await manage(sandbox, 'project.v2.ProjectService/AddProjectRole', {
    projectId,
    roleKey: 'admin',
    displayName: 'Admin',
  });
  const { body } = await manage(sandbox, 'application.v2.ApplicationService/CreateApplication', {
    projectId,
    name: 'Web',
    oidcConfiguration: {
      redirectUris: ['http://localhost:3000/auth/callback'],
      responseTypes: ['OIDC_RESPONSE_TYPE_CODE'],
      grantTypes: ['OIDC_GRANT_TYPE_AUTHORIZATION_CODE', 'OIDC_GRANT_TYPE_REFRESH_TOKEN'],
      authMethodType: 'OIDC_AUTH_METHOD_TYPE_NONE',
      loginVersion: { loginV1: {} },
    },
  });
  const { clientId } = body['oidcConfiguration'] as { clientId: string };
  return { projectId, applicationId: String(body['applicationId']), clientId };
}
