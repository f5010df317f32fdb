/** A REST path of the management API, and the method of a service that it stands for. */
interface RestRoute {
  method: [service: string, name: string];
  status: number;
  matches(method: string, path: string): boolean;
  /** the parameters in the path */
  parametersOf(path: string): Record<string, string>;
}

const user = 'zitadel.user.v2.UserService';
const organization = 'zitadel.org.v2.OrganizationService';
const session = 'zitadel.session.v2.SessionService';
const oidc = 'zitadel.oidc.v2.OIDCService';
const action = 'zitadel.action.v2.ActionService';
const admin = 'zitadel.admin.v1.AdminService';

export const restRoutes: RestRoute[] = [
  route('POST /v2/organizations', [organization, 'AddOrganization'], 201),
  route('POST /v2/organizations/_search', [organization, 'ListOrganizations']),
  route('DELETE /v2/organizations/{organizationId}', [organization, 'DeleteOrganization']),
  route('POST /v2/users', [user, 'ListUsers']),
  route('POST /v2/users/new', [user, 'CreateUser']),
  route('GET /v2/users/{userId}', [user, 'GetUserByID']),
  route('DELETE /v2/users/{userId}', [user, 'DeleteUser']),
  route('POST /v2/users/{userId}/invite_code', [user, 'CreateInviteCode']),
  route('POST /v2/users/{userId}/keys', [user, 'AddKey']),
  route('POST /v2/users/{userId}/secret', [user, 'AddSecret']),
  route('POST /v2/users/{userId}/pats', [user, 'AddPersonalAccessToken']),
  route('DELETE /v2/users/{userId}/pats/{tokenId}', [user, 'RemovePersonalAccessToken']),
  route('POST /v2/sessions', [session, 'CreateSession'], 201),
  route('POST /v2/sessions/search', [session, 'ListSessions']),
  route('GET /v2/sessions/{sessionId}', [session, 'GetSession']),
  route('DELETE /v2/sessions/{sessionId}', [session, 'DeleteSession']),
  route('GET /v2/oidc/auth_requests/{authRequestId}', [oidc, 'GetAuthRequest']),
  route('POST /v2/oidc/auth_requests/{authRequestId}', [oidc, 'CreateCallback']),
  route('GET /v2/oidc/device_authorization/{userCode}', [oidc, 'GetDeviceAuthorizationRequest']),
  route('POST /v2/oidc/device_authorization/{deviceAuthorizationId}', [
    oidc,
    'AuthorizeOrDenyDeviceAuthorization',
  ]),
  route('POST /v2/actions/targets', [action, 'CreateTarget']),
  route('POST /v2/actions/targets/search', [action, 'ListTargets']),
  route('POST /v2/actions/targets/{id}', [action, 'UpdateTarget']),
  route('DELETE /v2/actions/targets/{id}', [action, 'DeleteTarget']),
  route('PUT /v2/actions/executions', [action, 'SetExecution']),
  route('POST /v2/actions/executions/search', [action, 'ListExecutions']),
  route('GET /admin/v1/settings/oidc', [admin, 'GetOIDCSettings']),
  route('PUT /admin/v1/settings/oidc', [admin, 'UpdateOIDCSettings']),
];

function route(template: string, method: RestRoute['method'], status = 200): RestRoute {
  const [verb = '', path = ''] = template.split(' ');
  const pattern = new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
  return {
    method,
    status,
    matches: (asked, askedPath) => asked === verb && pattern.test(askedPath),
    parametersOf: (askedPath) => ({ ...pattern.exec(askedPath)?.groups }),
  };
}
