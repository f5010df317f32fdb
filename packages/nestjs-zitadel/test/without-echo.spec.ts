import { describe, expect, it } from '@jest/globals';
import { withoutEcho } from '../src/http/without-echo.js';

const sent = {
  body: new URLSearchParams({
    grant_type: 'authorization_code',
    code: 'code-12345678',
    code_verifier: 'short',
  }),
  headers: { authorization: `Basic ${Buffer.from('client:a client secret').toString('base64')}` },
};
const answered = async (text: string, status: number, init: RequestInit = sent) =>
  (await withoutEcho(new Response(text, { status }), init)).text();

describe('withoutEcho()', () => {
  it('redacts the secrets that a refusal of Zitadel repeats', async () => {
    const text = `code-12345678 ${sent.headers.authorization} a client secret`;
    expect(await answered(text, 400)).toBe('[redacted] Basic [redacted] [redacted]');
    const bearer = { headers: { authorization: 'Bearer at-12345678' } };
    expect(await answered('at-12345678 is no good', 401, bearer)).toBe('[redacted] is no good');
  });

  it('keeps all other text and the status', async () => {
    expect(await answered('the authorization_code is too short', 400)).toBe(
      'the authorization_code is too short',
    );
    expect((await withoutEcho(new Response('code-12345678', { status: 400 }), sent)).status).toBe(400);
    expect(await answered('x', 400, {})).toBe('x');
  });

  it('keeps a response that is not a refusal', async () => {
    expect(await answered('code-12345678', 200)).toBe('code-12345678');
  });
});
