import { beforeEach, describe, expect, it } from '@jest/globals';
import { now } from '../support/now.js';
import type { HttpRequest } from '@mridang/nestjs-auth';
import { Logger } from '@nestjs/common';
import type { Response } from 'express';
import { BackChannelLogoutController } from '../../packages/nestjs-zitadel/src/sign-out/back-channel-logout.controller.js';
import type { ResolvedZitadelOptions } from '../../packages/nestjs-zitadel/src/zitadel.options.js';
import { SharedState } from '../../packages/nestjs-zitadel/src/state/shared-state.js';
import { EndedSessions } from '../../packages/nestjs-zitadel/src/session/ended-sessions.js';
import type { LogoutTokenClaims } from '../../packages/nestjs-zitadel/src/tokens/logout-token.js';
import type { TokenVerifier } from '../../packages/nestjs-zitadel/src/tokens/token-verifier.js';

const alice = { jti: 'session', sid: 'sid', sub: 'alice', start: now() - 100 };

/** State that other instances do not receive while Redis is unavailable. */
class LonelyState extends SharedState {
  isAlone = false;

  override get sharedForMs() {
    return this.isAlone ? 0 : Infinity;
  }
}

Logger.overrideLogger(false);
const options = { session: { maxDurationSeconds: 3600 }, observer: {} } as ResolvedZitadelOptions;

let state: LonelyState;
let ended: EndedSessions;
let controller: BackChannelLogoutController;
let claims: LogoutTokenClaims;
beforeEach(() => {
  state = new LonelyState();
  ended = new EndedSessions(state, options);
  claims = { jti: 'token', sid: 'sid', sub: undefined, iat: now() };
  const verifier = { logoutToken: () => Promise.resolve(claims) } as unknown as TokenVerifier;
  controller = new BackChannelLogoutController(verifier, ended, state, options);
});

/** Sends the logout token: the status, and whether the response has Retry-After. */
async function send() {
  const headers = new Map<string, string>();
  let status = 0;
  const response = {
    setHeader: (name: string, value: string) => (headers.set(name, value), response),
    status: (code: number) => ((status = code), response),
    json: () => response,
    end: () => response,
  };
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: { logout_token: 'x' },
  } as unknown as HttpRequest;
  await controller.logout(request, response as unknown as Response);
  return [status, headers.has('Retry-After')];
}

it('a logout token gets 503 while other instances cannot be informed, and ends the session everywhere at the second attempt', async () => {
  state.isAlone = true;
  expect(await send()).toEqual([503, true]);
  expect(ended.isRevoked(alice)).toBe(true);
  state.isAlone = false;
  expect(await send()).toEqual([200, false]);
  expect(await send()).toEqual([400, false]);
});

describe('a logout token with only a sub', () => {
  it('ends the sessions that began up to a minute after its iat', async () => {
    claims = { jti: 'late', sid: undefined, sub: 'alice', iat: now() - 300 };
    expect(await send()).toEqual([200, false]);
    expect(ended.isRevoked({ ...alice, start: now() - 301 })).toBe(true);
    expect(ended.isRevoked({ ...alice, start: now() - 245 })).toBe(true);
    expect(ended.isRevoked({ ...alice, start: now() - 235 })).toBe(false);
  });

  it('does not end sessions that begin after it was received, even with an iat in the future', async () => {
    claims = { jti: 'early', sid: undefined, sub: 'alice', iat: now() + 30 };
    expect(await send()).toEqual([200, false]);
    expect(ended.isRevoked({ ...alice, start: Date.now() / 1000 + 0.01 })).toBe(false);
  });
});
