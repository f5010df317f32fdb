import type { IAuthModuleOptions } from './auth.options.js';

type Provider = IAuthModuleOptions['providers'][number];
type Endpoints = Partial<Record<(typeof endpointNames)[number], unknown>>;

export const endpointNames = ['authorization', 'token', 'userinfo'] as const;

/**
 * Returns a provider whose options may add to its endpoints, such as `authorization: { params: { scope } }`. Where the provider has an
 * endpoint as a text, as those of Spotify and GitLab are, Auth.js replaces it by the object of the options, and the address is lost.
 */
export function withEndpointsKept(provider: Provider): Provider {
  const made: Provider & Endpoints = typeof provider === 'function' ? provider() : provider;
  const options: Endpoints = made.options ?? {};
  const texts = endpointNames.filter(
    (name) => typeof made[name] === 'string' && typeof options[name] === 'object',
  );
  return texts.length === 0
    ? provider
    : { ...made, ...Object.fromEntries(texts.map((name) => [name, { url: made[name] }])) };
}
