import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type RunningApp } from './support/start-app.js';

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({
    env: ({ clients, projectId }) =>
      Promise.resolve({
        ZITADEL_API_KEY_FILE: JSON.stringify(clients.api.key),
        IDP_PROJECT_ID: projectId,
      }),
  });
});
afterAll(() => app.close());

interface Explanation {
  needed: Record<string, unknown>;
  held: Record<string, unknown>;
  help: string;
}

async function explained(headers: Record<string, string>): Promise<Explanation> {
  const answer = await fetch(`${app.origin}/api/v1/me`, { headers });
  expect(answer.status).toBe(401);
  return ((await answer.json()) as { explanation: Explanation }).explanation;
}

describe('the explanation of a refusal by a route for browsers and programs', () => {
  it('names both credentials where a request has none', async () => {
    expect(await explained({})).toMatchObject({
      needed: { credentials: ['session', 'bearer token'] },
      held: { session: 'none' },
    });
  });

  it('says that a token is empty', async () => {
    const { held } = await explained({ authorization: 'Bearer ' });
    expect(held).toEqual({ tokenProblem: 'the token is empty' });
  });

  it('has whole sentences about a token that Zitadel does not know, and no audience of it', async () => {
    const { held, help } = await explained({ authorization: 'Bearer unknown' });
    expect(Object.keys(held)).not.toContain('audience');
    expect(held['tokenProblem']).toMatch(/ or Zitadel does not know it$/);
    expect(help).toMatch(/^[A-Z].*\.$/);
  });
});
