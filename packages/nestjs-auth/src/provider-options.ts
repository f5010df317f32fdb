import type { IAuthModuleOptions } from './auth.options.js';

type Provider = IAuthModuleOptions['providers'][number];
type Members = Readonly<Record<PropertyKey, unknown>>;
type Made = Members & { options?: Members };

export const endpointNames = ['authorization', 'token', 'userinfo'] as const;

const made = (provider: Provider) =>
  (typeof provider === 'function' ? provider() : provider) as unknown as Made;

/**
 * Returns a provider whose options may add to its endpoints, such as `authorization: { params: { scope } }`. Where the provider has an
 * endpoint as a text, as those of Spotify and GitLab are, Auth.js replaces it by the object of the options, and the address is lost.
 */
export function withEndpointsKept(provider: Provider): Provider {
  const own = made(provider);
  const texts = endpointNames.filter(
    (name) => typeof own[name] === 'string' && isPlainObject(own.options?.[name]),
  );
  return texts.length === 0
    ? provider
    : ({
        ...own,
        ...Object.fromEntries(texts.map((name) => [name, { url: own[name] }])),
      } as unknown as Provider);
}

/** Returns a provider with its options, merged as Auth.js merges them. */
export function mergedProvider(provider: Provider): Members {
  const { options, ...own } = made(withEndpointsKept(provider));
  return options ? { ...symbolsOf(options), ...merged(own, options) } : own;
}

function merged(own: Members, given: Members): Members {
  const changes = Object.entries(given).filter(([, value]) => value !== undefined);
  const members = changes.map(([name, value]) => {
    const before = own[name];
    return [name, isPlainObject(value) && isPlainObject(before) ? merged(before, value) : value];
  });
  return { ...own, ...(Object.fromEntries(members) as Members) };
}

const symbolsOf = (value: Members) =>
  Object.fromEntries(Object.getOwnPropertySymbols(value).map((name) => [name, value[name]]));

const isPlainObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
