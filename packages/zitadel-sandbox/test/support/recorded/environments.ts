import { defaultUsers, type SandboxOptions, type UserSpec } from '../../../src/index.js';
import type { Exchange } from './recording.js';

/** The set-ups of the recording, by `setup` and `name`. */
export type EnvironmentName =
  | 'usual'
  | 'secrets'
  | 'jwt'
  | 'native'
  | 'noRoleAssertion'
  | 'loginV2Required'
  | 'furtherApps'
  | 'shop'
  | 'shopWithImpersonation';

const said: [RegExp, EnvironmentName][] = [
  [/no role assertion|does not assert roles/, 'noRoleAssertion'],
  [/loginV2\.required = true/, 'loginV2Required'],
  [/native app without Dev Mode/, 'native'],
  [/authentication (BASIC|POST|PRIVATE_KEY_JWT)|<key_id: second/, 'secrets'],
  [/JWT access token|app, deactivated|user agent app without Dev Mode/, 'jwt'],
  [/implicit flow|the device code grant|the token exchange grant|app without the grant"/, 'furtherApps'],
];

export function environmentOf({ file, name, setup, request }: Exchange): EnvironmentName {
  if (file === 'device-and-exchange')
    return /impersonation( on|:|,| of )/.test(name) ? 'shopWithImpersonation' : 'shop';
  const text = JSON.stringify({ setup, request, name });
  return said.find(([pattern]) => pattern.test(text))?.[1] ?? 'usual';
}

const web = {
  redirectUris: ['http://localhost:3119/auth/callback'],
  postLogoutRedirectUris: ['http://localhost:3119/auth/logout/callback'],
};
const second = {
  redirectUris: ['http://localhost:3118/auth/callback'],
  postLogoutRedirectUris: ['http://localhost:3118/auth/logout/callback'],
};
const swagger = { redirectUris: ['http://localhost:3117/api/oauth2-redirect.html'] };
const users: UserSpec[] = [
  ...defaultUsers,
  {
    loginName: 'robotjwt@acme.example',
    kind: 'machine',
    displayName: 'Robot',
    roles: ['viewer'],
    accessTokenType: 'jwt',
  },
];

/** Organizations, people and applications of the later recordings, whose ids are those of the recording. */
export const shop: SandboxOptions = {
  loginV2Required: false,
  organizations: [
    { name: 'Alpha', id: '300000000010000101', primaryDomain: 'alpha.localhost' },
    { name: 'Beta', id: '300000000010000102', primaryDomain: 'beta.localhost' },
  ],
  users: [
    {
      ...{ loginName: 'alice', id: '300000000010000116', givenName: 'Alice', familyName: 'Tester' },
      ...{ email: 'alice@alpha.example', emailVerified: true, organization: 'Alpha' },
      roles: ['admin', 'reader'],
      grants: [{ organization: 'Beta', roles: ['admin'] }],
    },
    { loginName: 'bob', id: '300000000010000117', organization: 'Beta', roles: ['reader'] },
    { loginName: 'carol', id: '300000000010000118', organization: 'Alpha' },
    { loginName: 'dave', organization: 'Alpha' },
  ],
  web,
  device: { loginVersion: 1, idTokenRoleAssertion: true },
  exchange: { idTokenRoleAssertion: true, accessTokenRoleAssertion: true },
};

/** The options of a sandbox that is set up as the recorded server was. */
export function optionsOf(environment: EnvironmentName, backChannelLogoutUri: string): SandboxOptions {
  const usual: SandboxOptions = {
    users,
    loginV2Required: false,
    web: { ...web, backChannelLogoutUri },
    second: { ...second, loginVersion: 1, backChannelLogoutUri },
    swagger,
  };
  switch (environment) {
    case 'usual':
      return usual;
    case 'secrets':
      return {
        ...usual,
        web: { ...web, authMethod: 'basic' },
        second: { ...second, authMethod: 'private_key_jwt' },
        swagger: { ...swagger, authMethod: 'post', applicationType: 'web', devMode: false },
      };
    case 'jwt':
      return {
        ...usual,
        web: {
          ...web,
          accessTokenType: 'jwt',
          accessTokenRoleAssertion: true,
          idTokenRoleAssertion: true,
          idTokenUserinfo: true,
          clockSkewSeconds: 5,
        },
        second: { ...second, applicationType: 'user_agent', devMode: false },
        swagger: { ...swagger, active: false },
      };
    case 'native':
      return {
        ...usual,
        second: {
          redirectUris: [...second.redirectUris, 'myapp://callback', 'http://localhost/cb'],
          applicationType: 'native',
          devMode: false,
        },
      };
    case 'noRoleAssertion':
      return { ...usual, projectRoleAssertion: false };
    case 'loginV2Required':
      return { ...usual, loginV2Required: true };
    case 'furtherApps':
      return {
        ...usual,
        device: {},
        exchange: {},
        implicit: { redirectUris: web.redirectUris },
      };
    case 'shop':
      return shop;
    case 'shopWithImpersonation':
      return { ...shop, impersonators: ['carol'] };
  }
}
