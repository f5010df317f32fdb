import type { IAuthModuleOptions } from './auth.options.js';

type Provider = IAuthModuleOptions['providers'][number];

export const endpointNames = ['authorization', 'token', 'userinfo'] as const;

type Endpoints = Partial<Record<(typeof endpointNames)[number], unknown>>;

/**
 * Returns a provider whose options may add to its endpoints, such as `authorization: { params: { scope } }`. Where the provider has an
 * endpoint as a text, as those of Spotify and GitLab are, Auth.js replaces it by the object of the options, and the address is lost.
 */
export function withEndpointsKept(provider: Provider): Provider {
  const made = (typeof provider === 'function' ? provider() : provider) as Endpoints & {
    options?: Endpoints;
  };
  const { options = {} } = made;
  const texts = endpointNames.filter(
    (name) => typeof made[name] === 'string' && typeof options[name] === 'object',
  );
  return texts.length === 0
    ? provider
    : ({ ...made, ...Object.fromEntries(texts.map((name) => [name, { url: made[name] }])) } as Provider);
}
