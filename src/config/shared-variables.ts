import { z } from 'zod';
import { choice, flag, seconds, webUrl, type ValuesOf, type Variable } from '@mridang/nestjs-program';

/** An issuer of Zitadel is an origin. */
export const issuerUrl = webUrl.refine((value) => /^https?:\/\/[^/?]+\/?$/i.test(value));

/** A variable that is the address of a Zitadel instance. */
export const issuer = (about: string) =>
  ({
    about,
    expected: 'an address without a path, such as https://my-instance.zitadel.cloud or http://localhost:8080',
    how: 'Zitadel console, the address you sign in at',
    schema: issuerUrl,
  }) satisfies Variable;

/** What is expected where `http:` was given. */
export const HTTPS = 'https:// (http:// only on this machine, or with ALLOW_INSECURE_HTTP=true)';

export const NODE_ENV = choice(
  ['development', 'test', 'production'],
  'development',
  'Production refuses placeholder values and writes JSON logs. Development reads views anew for each page.',
);

export const LOG_LEVEL = choice(['error', 'warn', 'info', 'debug'], 'info', 'How much is logged.');

/** Values to be replaced in public examples, and one repeated character. */
export const EXAMPLES = /^(your|change|replace|insert)[-_ ]|^(change|replace)me|^(.)\3{7,}$/i;

/** A command that makes a random value. */
export const randomValue = `node -e "console.log(require('node:crypto').randomBytes(32).toString('hex'))"`;

export const METRICS_TOKEN = {
  about:
    'Whoever brings it as bearer token is answered at /metrics, and nobody else. Without it, requests of this machine itself are.',
  expected: 'at least 16 characters, or nothing',
  how: randomValue,
  examples: EXAMPLES,
  schema: z.string().min(16).optional(),
} satisfies Variable;

export const ORGANIZATIONS = choice(
  ['any', 'active'],
  'any',
  'Where roles count. any: in every organization that grants them, for programs of one organization. active: only in the organization somebody acts for, which people with roles in several choose in the header of the page, and callers of the API name in the header X-Organization.',
);

/** What holds, for the log. */
export const rolesCount = {
  any: 'Roles count in every organization that grants them (ORGANIZATIONS=any)',
  active: 'Roles count in the active organization only (ORGANIZATIONS=active)',
};

/** The variables of routes that take bearer tokens. */
export const tokenVariables = {
  ZITADEL_API_KEY_FILE: {
    about:
      'The key of the API application: instead of the IDP_AUTHORIZATION_PROFILE_* variables. With it, the web application takes bearer tokens at /api/v1/me.',
    expected: 'the path of the JSON file as downloaded, or its content',
    how: 'Zitadel console, Projects, your project, your API application, Keys, New',
    mayBeQuoted: true,
    schema: z.string().optional(),
  },
  IDP_PROJECT_ID: {
    about:
      'Project of the API application. Tokens must be meant for it or for the application itself; the web application asks for such tokens where it has an API_URL. Empty: the project a token was asked for counts, and Zitadel decides whether it is the right one.',
    expected: 'the ID of the project, or nothing',
    schema: z
      .string()
      .regex(/^[\w-]{1,64}$/)
      .optional(),
  },
  INTROSPECTION_TIMEOUT: seconds(
    [1, 60],
    5,
    'How long a caller of the API waits for Zitadel to say whether a token is good. The web application waits three seconds more for the API: give both the same.',
  ),
  API_ACCEPT_IMPERSONATION: flag(
    false,
    'Whether tokens count with which somebody acts for somebody else by token exchange (claim `act`). Their `sub` is the other person.',
  ),
  API_ACCEPT_PERSONAL_ACCESS_TOKENS: flag(
    true,
    'Whether tokens count that were issued to no application: Zitadel calls a personal access token active for every API, whichever service user has it.',
  ),
} satisfies Record<string, Variable>;

/** How bearer tokens are checked. */
export const introspectionOf = (values: ValuesOf<typeof tokenVariables>) => ({
  projectId: values.IDP_PROJECT_ID,
  introspectionTimeoutSeconds: values.INTROSPECTION_TIMEOUT,
  accepts: {
    impersonation: values.API_ACCEPT_IMPERSONATION,
    withoutClient: values.API_ACCEPT_PERSONAL_ACCESS_TOKENS,
  },
});

export const NO_PROJECT =
  'Without IDP_PROJECT_ID a token counts that is meant for whichever project it was asked for: set it to the project of this API';

export const ZITADEL_TIMEOUT = seconds(
  [1, 60],
  10,
  'How long an answer of Zitadel is awaited. Who signs in waits for it, too: the identity provider behind Zitadel may be slow.',
);

export const ALLOW_INSECURE_HTTP = flag(
  false,
  'Accepts http:// for Zitadel and for this application on other hosts than this machine. For closed test networks.',
);
