import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startApi, type RunningApi } from '../support/start-api.js';
import { startIntrospector, type Answer, type Introspector } from '../support/introspector.js';
import { moveTime, resetTime } from '../support/move-time.js';

let idp: Introspector;
let api: RunningApi;
let count = 0;

beforeEach(async () => {
  idp = await startIntrospector();
  idp.answer = () => idp.active();
  api = await startApi(idp.env);
  api.log.splice(0);
});
afterEach(async () => {
  resetTime();
  await api.close();
  await idp.close();
});

/** The status of a request with a new token. */
const status = async () => (await api.get('/api/v1/app', `token-${count++}`)).status;
const statuses = async (times: number) => {
  const all: number[] = [];
  for (let time = 0; time < times; time++) all.push(await status());
  return all;
};
const down = { status: 500, body: {} };
/** The log lines since the last call, without debug. */
/** Lines about Zitadel, not those about single callers. */
const said = () => api.log.splice(0).filter((line) => !/^debug|^\w+ Refused with/.test(line));

describe('the probe after a pause of introspection', () => {
  beforeEach(async () => {
    idp.answer = () => down;
    await statuses(5);
    expect(idp.asked).toHaveLength(5);
    moveTime(6_000);
  });

  it('is the only request for another five seconds when it fails', async () => {
    expect(await statuses(3)).toEqual([503, 503, 503]);
    expect(idp.asked).toHaveLength(6);
    idp.answer = () => idp.active();
    moveTime(4_000);
    expect(await status()).toBe(503);
    moveTime(2_000);
    expect(await status()).toBe(200);
  });

  it('closes the circuit breaker when it succeeds: five new failures are needed to open it', async () => {
    idp.answer = () => idp.active();
    expect(await statuses(3)).toEqual([200, 200, 200]);
    idp.answer = () => down;
    await statuses(10);
    expect(idp.asked).toHaveLength(5 + 3 + 5);
  });
});

describe('a refusal by Zitadel', () => {
  it.each<[string, Answer]>([
    ['400', { status: 400, body: { error: 'invalid_request' } }],
    ['403', { status: 403, body: 'blocked', type: 'text/html' }],
    ['413', { status: 413, body: {} }],
  ])('of a single token (%s) does not open the circuit breaker', async (_name, answer) => {
    idp.answer = () => answer;
    expect(new Set(await statuses(8))).toEqual(new Set([503]));
    expect(idp.asked).toHaveLength(8);
    idp.answer = () => idp.active();
    expect(await status()).toBe(200);
  });

  it.each<[string, Answer, number]>([
    ['401', { status: 401, body: {} }, 5],
    ['429', { status: 429, body: {} }, 5],
    ['unauthorized_client', { status: 400, body: { error: 'unauthorized_client' } }, 5],
    ['invalid_client', { status: 400, body: { error: 'invalid_client' } }, 5],
    // A request with this status is sent twice, because Zitadel returns it shortly after its start.
    ['503', { status: 503, body: {} }, 10],
  ])('of all requests (%s) opens the circuit breaker after five failures', async (_name, answer, count) => {
    idp.answer = () => answer;
    await statuses(8);
    expect(idp.asked).toHaveLength(count);
  });

  it.each([429, 503])(
    'with status %i and Retry-After is passed on to callers, and no request is sent before that time',
    async (code) => {
      idp.answer = () => ({ status: code, body: {}, headers: { 'retry-after': '20' } });
      for (let attempt = 0; attempt < 8; attempt++) {
        const answer = await api.get('/api/v1/app', `token-${attempt}`);
        expect(answer.status).toBe(503);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(15);
      }
      expect(idp.asked).toHaveLength(1);
      idp.answer = () => idp.active();
      moveTime(21_000);
      expect(await status()).toBe(200);
    },
  );

  it.each(['unauthorized_client', 'invalid_client'])(
    'with %s is logged with what an operator has to check',
    async (error) => {
      idp.answer = () => ({ status: 400, body: { error } });
      await status();
      expect(said().join()).toContain(
        "Zitadel does not accept this API's key: check the key and the client ID (status 400, " + error + ')',
      );
    },
  );

  it.each([
    [40, /the clock of this machine is (39|4\d) s ahead of Zitadel/],
    [-40, /the clock of this machine is (3\d|40) s behind Zitadel/],
  ])(
    "of the key is logged with the clock difference when Zitadel's clock differs: %i s",
    async (seconds, text) => {
      idp.answer = () => ({ status: 400, body: { error: 'unauthorized_client' } });
      moveTime(seconds * 1000);
      await status();
      expect(said().join()).toMatch(text);
    },
  );

  it('of the key makes readiness report misconfigured (api_key_refused) until a key is accepted', async () => {
    const zitadel = async () =>
      ((await (await api.get('/health/ready')).json()) as { details: { zitadel: object } }).details.zitadel;
    idp.answer = () => ({ status: 400, body: { error: 'unauthorized_client' } });
    await status();
    expect(await zitadel()).toEqual({ status: 'misconfigured', reason: 'api_key_refused' });
    idp.answer = () => idp.active();
    await status();
    expect(await zitadel()).toEqual({ status: 'up' });
  });

  it.each(['Problems', 'p b', 'x\nforged', 'p'.repeat(41), 123_456, ['unknown']])(
    'is logged without its error when that is %j',
    async (error) => {
      idp.answer = () => ({ status: 400, body: { error } });
      await status();
      const text = said().join();
      expect(text).toContain('status 400');
      expect(text).not.toContain(String(error).slice(0, 40));
    },
  );

  it.each([400, 401])('with status %i leads to a new assertion in the next request', async (code) => {
    idp.answer = () => ({ status: code, body: {} });
    await statuses(2);
    const [one, two] = idp.asked.map(({ assertion }) => assertion.jti);
    expect(two).not.toBe(one);
  });
});

describe('the log', () => {
  it('has one line when introspection fails, one when it pauses and one when it resumes', async () => {
    await status();
    said();
    idp.answer = () => down;
    await statuses(3);
    const begun = said();
    expect(begun).toHaveLength(1);
    expect(begun[0]).toMatch(/^error Introspection failed.*\n[^]*Zitadel answered 500/);
    await statuses(20);
    expect(said()).toEqual([
      expect.stringMatching(/^error Introspection paused for 5 s after 5 failures [^]*Zitadel answered 500/),
    ]);
    for (let round = 0; round < 3; round++) {
      moveTime(6_000);
      await statuses(3);
    }
    expect(said()).toEqual([]);
    idp.answer = () => idp.active();
    moveTime(6_000);
    await statuses(3);
    expect(said()).toEqual(['log Introspection resumed: Zitadel answers again (circuit breaker)']);
  });

  it('has one line for failures within ten seconds, and another line for failures after that', async () => {
    for (let round = 0; round < 3; round++) {
      idp.answer = () => down;
      await status();
      idp.answer = () => idp.active();
      await status();
    }
    expect(said()).toHaveLength(1);
    moveTime(11_000);
    idp.answer = () => down;
    await statuses(2);
    expect(said()).toHaveLength(1);
  });

  it('warns once to check IDP_PROJECT_ID when ten tokens in a row are inactive', async () => {
    idp.answer = () => ({ body: { active: false } });
    await status();
    said();
    await statuses(8);
    expect(said()).toEqual([]);
    await statuses(9);
    expect(said()).toEqual([expect.stringMatching(/^warn 10 tokens in a row .*IDP_PROJECT_ID/)]);
  });

  it('has no line about inactive tokens after an active one', async () => {
    await status();
    said();
    idp.answer = () => ({ body: { active: false } });
    await statuses(12);
    expect(said()).toEqual([]);
  });

  it('has no line about five inactive tokens', async () => {
    await status();
    said();
    idp.answer = () => ({ body: { active: false } });
    await statuses(5);
    expect(said()).toEqual([]);
  });
});
