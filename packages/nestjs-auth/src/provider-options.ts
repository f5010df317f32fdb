import type { IAuthModuleOptions } from './auth.options.js';

type Provider = IAuthModuleOptions['providers'][number];
type Members = Readonly<Record<PropertyKey, unknown>>;
type Made = Members & { options?: Members };

export const endpointNames = ['authorization', 'token', 'userinfo'] as const;

const made = (provider: Provider) =>
  (typeof provider === 'function' ? provider() : provider) as unknown as Made;

/**
 * Returns a provider that Auth.js takes with its endpoints in its options. Auth.js does not look for those there, which NetSuite needs, and
 * where the provider has an endpoint as a text, as those of Spotify and GitLab are, it replaces it by an object of the options, such as
 * `{ params: { scope } }`: the address is lost.
 */
export function withEndpoints(provider: Provider): Provider {
  const own = made(provider);
  const endpoints = endpointNames.map((name) => {
    const [before, given] = [own[name], own.options?.[name]];
    return [name, typeof before === 'string' && isObject(given) ? { url: before } : (before ?? given)];
  });
  const changed = endpoints.filter(([name, endpoint]) => endpoint !== own[name as string]);
  return changed.length === 0
    ? provider
    : ({ ...own, ...(Object.fromEntries(changed) as Members) } as unknown as Provider);
}

/** Returns a provider with its options, merged as Auth.js merges them; a list is replaced. */
export function mergedProvider(provider: Provider): Members {
  const { options, ...own } = made(withEndpoints(provider));
  return options ? { ...symbolsOf(options), ...merged(own, options) } : own;
}

function merged(own: Members, given: Members): Members {
  const changes = Object.entries(given).filter(([, value]) => value !== undefined);
  const members = changes.map(([name, value]) => {
    const before = own[name];
    return [name, isObject(value) && isObject(before) ? merged(before, value) : value];
  });
  return { ...own, ...(Object.fromEntries(members) as Members) };
}

const symbolsOf = (value: Members) =>
  Object.fromEntries(Object.getOwnPropertySymbols(value).map((name) => [name, value[name]]));

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof URL);
