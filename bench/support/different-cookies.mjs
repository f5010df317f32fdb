import { requestWith } from './request-with.mjs';

/**
 * The same session with the same tokens, encrypted repeatedly; the other cookies of the browser are kept.
 *
 * @param {import('@mridang/nestjs-auth').SessionService} sessions
 * @returns {Promise<string[]>}
 */
export async function differentCookies(sessions, cookie, count) {
  const values = new Set();
  while (values.size < count) {
    const { request, response } = requestWith(cookie);
    await sessions.update(request, response, {});
    const [line = ''] = [response.getHeader('set-cookie') ?? []].flat().map(String);
    const [pair = ''] = line.split('; ');
    const name = pair.slice(0, pair.indexOf('='));
    const others = cookie.split('; ').filter((other) => !other.startsWith(`${name}=`));
    const before = values.size;
    values.add([pair, ...others].join('; '));
    if (values.size === before) throw new Error('The same cookie again');
  }
  return [...values];
}
