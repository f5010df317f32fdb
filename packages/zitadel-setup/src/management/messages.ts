import { z } from 'zod';

/** What the set-up reads of Zitadel's answers, which leave out zero values. Unknown fields are ignored. */
const id = z.string().regex(/^[\w-]+$/);
const texts = z.array(z.string()).default([]);

/** How many there are, also of those the token may not see: the page is cut before permissions are applied. */
const pagination = z.object({ totalResult: z.coerce.number().default(0) }).default({ totalResult: 0 });

export const nothing = z.object({});

const project = z.object({
  projectId: id,
  organizationId: id,
  name: z.string(),
  state: z.string().default(''),
  projectRoleAssertion: z.boolean().default(false),
});
export const projects = z.object({ projects: z.array(project).default([]) });
export const oneProject = z.object({ project });
export const madeProject = z.object({ projectId: id });

export const projectRoles = z.object({
  pagination,
  projectRoles: z.array(z.object({ key: z.string() })).default([]),
});

const oidcConfiguration = z.object({
  clientId: id,
  redirectUris: texts,
  postLogoutRedirectUris: texts,
  responseTypes: texts,
  grantTypes: texts,
  applicationType: z.string().default('OIDC_APP_TYPE_WEB'),
  authMethodType: z.string().default('OIDC_AUTH_METHOD_TYPE_BASIC'),
  developmentMode: z.boolean().default(false),
  backChannelLogoutUri: z.string().default(''),
  loginVersion: z.record(z.string(), z.unknown()).optional(),
});
const apiConfiguration = z.object({
  clientId: id,
  authMethodType: z.string().default('API_AUTH_METHOD_TYPE_BASIC'),
});
const application = z.object({
  applicationId: id,
  name: z.string(),
  state: z.string().default(''),
  projectId: id,
  oidcConfiguration: oidcConfiguration.optional(),
  apiConfiguration: apiConfiguration.optional(),
});
export type ApplicationMessage = z.infer<typeof application>;
export const applications = z.object({ applications: z.array(application).default([]) });
export const oneApplication = z.object({ application });
export const madeApplication = z.object({ applicationId: id });

export const applicationKeys = z.object({
  keys: z.array(z.object({ keyId: id, expirationDate: z.string().default('') })).default([]),
});
export const madeKey = z.object({ keyId: id, keyDetails: z.base64() });

export const users = z.object({
  result: z.array(z.object({ userId: id, loginNames: texts })).default([]),
});
export const oneUser = z.object({ user: z.object({ details: z.object({ resourceOwner: id }) }) });

export const organizations = z.object({
  result: z.array(z.object({ id, name: z.string() })).default([]),
});

const authorization = z.object({
  id,
  user: z.object({ id }),
  project: z.object({ id }),
  organization: z.object({ id }),
  state: z.string().default(''),
  roles: z.array(z.object({ key: z.string() })).default([]),
});
export type ManagementAuthorization = z.infer<typeof authorization>;
export const authorizations = z.object({ authorizations: z.array(authorization).default([]) });

export const administrators = z.object({
  administrators: z
    .array(
      z.object({
        user: z.object({ id }),
        roles: texts,
        project: z.object({ id, name: z.string().default(''), organizationId: z.string() }).optional(),
        organization: z.object({ id }).optional(),
      }),
    )
    .default([]),
});
export type AdministratorMessage = z.infer<typeof administrators>['administrators'][number];

const target = z.object({
  id,
  endpoint: z.string().default(''),
  payloadType: z.string().default(''),
  signingKey: z.string().min(1),
});
export type TargetMessage = z.infer<typeof target>;
export const targets = z.object({ pagination, targets: z.array(target).default([]) });
export const madeTarget = target.pick({ id: true, signingKey: true });

const eventCondition = z.object({
  event: z.string().optional(),
  group: z.string().optional(),
  all: z.boolean().optional(),
});
const execution = z.object({
  condition: z.object({ event: eventCondition.optional() }).default({}),
  targets: texts,
});
export type ExecutionMessage = z.infer<typeof execution>;
export const executions = z.object({ pagination, executions: z.array(execution).default([]) });

export const userinfo = z.object({ sub: id });
