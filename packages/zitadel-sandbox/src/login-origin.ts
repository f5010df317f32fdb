import { isThisMachine } from './loopback.js';

/**
 * The origin of a login UI of its own.
 *
 * @throws Error when it is none, or not one of this machine
 */
export function loginOriginFrom(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === 'http:' && url.pathname === '/' && !url.search && isThisMachine(value)) return url;
  throw new Error('loginOrigin: expected an origin of this machine such as http://127.0.0.1:8081');
}
