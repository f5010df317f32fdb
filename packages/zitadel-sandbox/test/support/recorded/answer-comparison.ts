import type { Exchange, RecordedResponse } from './recording.js';
import type { HttpAnswer, HttpCall } from './http-call.js';
import type { Names } from './names.js';
import { valueDifferences } from './value-comparison.js';

const usualCookie =
  'zitadel.useragent=<value>; Path=/; Domain=localhost; Max-Age=31536000; HttpOnly; SameSite=Lax';
const usual: RecordedResponse['headers'] = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  vary: ['Origin', 'Cookie'],
  'x-robots-tag': 'none',
};
/** Not recorded, or dependent on the connection. `x-request-id` and `expires` are compared separately. */
const notRecorded = [
  ...['date', 'content-length', 'x-request-id', 'expires'],
  ...['connection', 'keep-alive', 'transfer-encoding'],
];
const page = '<HTML page of the login UI>';

/** The differences between a response and the recorded one: status, headers, body. */
export function answerDifferences(
  exchange: Exchange,
  call: HttpCall,
  answer: HttpAnswer,
  names: Names,
): string[] {
  const { request, response } = exchange;
  if (!response || !request) return ['nothing was recorded'];
  const status =
    response.status === answer.status ? [] : [`status: recorded ${response.status}, here ${answer.status}`];
  const isLogin = request.path === '(login)';
  return [
    ...status,
    ...(isLogin ? listedHeaders(response, answer, names) : allHeaders(response, call, answer, names)),
    ...(isLogin && response.body === '' ? [] : bodyDifferences(response.body, answer, names)),
  ];
}

// only these parts of a login page were recorded
function listedHeaders(response: RecordedResponse, answer: HttpAnswer, names: Names): string[] {
  return Object.keys(response.headers).flatMap((name) =>
    headerDifferences(name, response.headers[name], answer, names),
  );
}

function allHeaders(response: RecordedResponse, call: HttpCall, answer: HttpAnswer, names: Names): string[] {
  const sentCookie = 'Cookie' in call.headers;
  const expected: RecordedResponse['headers'] = {
    ...usual,
    ...(sentCookie ? {} : { 'set-cookie': usualCookie }),
    ...response.headers,
  };
  const all = new Set([...Object.keys(expected), ...Object.keys(answer.headers)]);
  return [
    ...[...all]
      .filter((name) => !notRecorded.includes(name))
      .flatMap((name) => headerDifferences(name, expected[name], answer, names)),
    ...expiryDifferences(answer),
  ];
}

function headerDifferences(
  name: string,
  recorded: string | string[] | null | undefined,
  answer: HttpAnswer,
  names: Names,
): string[] {
  const actual = answer.headers[name];
  if (recorded === null || recorded === undefined) {
    return actual === undefined ? [] : [`${name}: not in the recording, here ${JSON.stringify(actual)}`];
  }
  return valueDifferences(
    [recorded].flat().map((line) => line.replace('<value>', '<188 chars>')),
    actual === undefined ? undefined : [actual].flat(),
    names,
    name,
  );
}

/** `Expires` is one hour before `Date` in every response with `no-store`; a request id has 20 characters. */
function expiryDifferences({ headers }: HttpAnswer): string[] {
  const { date, expires, 'x-request-id': id } = headers;
  // Zitadel reads the clock twice.
  const isStale = Math.abs(Date.parse(String(date)) - Date.parse(String(expires)) - 3_600_000) <= 1000;
  return [
    ...(headers['cache-control'] === 'no-store' && !isStale
      ? [`expires: here ${JSON.stringify(expires)}`]
      : []),
    ...(id !== undefined && String(id).length !== 20 ? [`x-request-id: here ${JSON.stringify(id)}`] : []),
  ];
}

function bodyDifferences(recorded: unknown, { body }: HttpAnswer, names: Names): string[] {
  if (recorded === page) return body.includes('<html') ? [] : ['body: no page'];
  if (typeof recorded === 'object' && recorded !== null && 'd' in recorded) {
    return valueDifferences(recorded, selfPostingForm(body), names);
  }
  // text with a JSON content type was recorded without its quotation marks
  if (typeof recorded === 'string')
    return valueDifferences(recorded, recorded === 'ok' ? body.trim().replaceAll('"', '') : body, names);
  if (!body.endsWith('\n')) return ['body: no line feed at the end'];
  return valueDifferences(recorded, parsed(body), names);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function selfPostingForm(html: string): { act: string | undefined; d: Record<string, string> } {
  const inputs = [...html.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [
    name,
    value,
  ]);
  return { act: /action="([^"]*)"/.exec(html)?.[1], d: Object.fromEntries(inputs) as Record<string, string> };
}
