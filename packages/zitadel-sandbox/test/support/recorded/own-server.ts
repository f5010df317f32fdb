import { readFileSync } from 'node:fs';
import { answerDifferences } from './answer-comparison.js';
import { environmentOf } from './environments.js';
import { call } from './http-call.js';
import type { Names } from './names.js';
import { isAboutTokens } from './player.js';
import type { Exchange, RecordedRequest } from './recording.js';
import { RequestMaker } from './request.js';
import type { Played } from './sandboxes.js';

/** A running Zitadel: its issuer and the values of the recorded names. */
interface OwnServerFile {
  issuer: string;
  names: Record<string, string>;
}

/**
 * Replays against a running Zitadel the exchanges that need no sign-in, no administrator and no key, as far as the
 * file at `path` has the values of their names.
 */
export async function playOwnServer(path: string, exchanges: Exchange[]): Promise<Played[]> {
  const { issuer, names: given } = JSON.parse(readFileSync(path, 'utf8')) as OwnServerFile;
  const origin: [string, string][] = [
    ['{issuer}', issuer],
    ['{issuer host}', new URL(issuer).host],
  ];
  const names: Names = new Map([...origin, ...Object.entries(given)]);
  const requests = new RequestMaker({ issuer, clients: {}, users: [] }, names);
  const played: Played[] = [];
  for (const exchange of exchanges) {
    if (!canPlay(exchange, names)) continue;
    const sent = await requests.make(exchange, {});
    const differences = answerDifferences(exchange, sent, await call(sent), names);
    played.push({ name: `${exchange.file}: ${exchange.name}`, differences });
  }
  return played;
}

function canPlay(exchange: Exchange, names: Names): exchange is Exchange & { request: RecordedRequest } {
  const { request } = exchange;
  const isPlain = request !== null && request.path.startsWith('/') && !isAboutTokens(request);
  const named = JSON.stringify(request).match(/<(client_id|user_id|org_id|client_secret)[^>]*>/g) ?? [];
  return isPlain && environmentOf(exchange) === 'usual' && named.every((name) => names.has(name));
}
