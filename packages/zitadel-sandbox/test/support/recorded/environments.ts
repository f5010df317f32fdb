import { defaultUsers, type SandboxOptions, type UserSpec } from '../../../src/index.js';
import type { Exchange } from './recording.js';

/** The set-ups of the recording, by `setup` and `name`. */
export type EnvironmentName =
  'usual' | 'secrets' | 'jwt' | 'native' | 'noRoleAssertion' | 'loginV2Required' | 'furtherApps';

const said: [RegExp, EnvironmentName][] = [
  [/no role assertion|does not assert roles/, 'noRoleAssertion'],
  [/loginV2\.required = true/, 'loginV2Required'],
  [/native app without Dev Mode/, 'native'],
  [/authentication (BASIC|POST|PRIVATE_KEY_JWT)|<key_id: second/, 'secrets'],
  [/JWT access token|app, deactivated|user agent app without Dev Mode/, 'jwt'],
  [/implicit flow|the device code grant|the token exchange grant|app without the grant"/, 'furtherApps'],
];

export function environmentOf({ name, setup, request }: Exchange): EnvironmentName {
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
  }
}
