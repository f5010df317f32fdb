/** Secret parameters of requests to Zitadel. */
const secretNames = [
  'code',
  'code_verifier',
  'refresh_token',
  'token',
  'id_token_hint',
  'client_secret',
  'client_assertion',
];

/** A shorter value is not a secret, and may be a common word. */
const MIN_LENGTH = 8;

/**
 * Returns an error response in which every secret of its request is replaced, so that it can be logged: a server may repeat them. Returns
 * other responses unchanged.
 */
export async function withoutEcho(answer: Response, { body, headers }: RequestInit): Promise<Response> {
  if (answer.status < 400) return answer;
  const text = await answer.clone().text();
  const redacted = secretsIn(body, new Headers(headers)).reduce(
    (remaining, secret) => remaining.replaceAll(secret, '[redacted]'),
    text,
  );
  if (redacted === text) return answer;
  return new Response(redacted, { status: answer.status, headers: answer.headers });
}

function secretsIn(body: RequestInit['body'], headers: Headers): string[] {
  const [, credentials = ''] = headers.get('authorization')?.split(' ') ?? [];
  const [, password = ''] = Buffer.from(credentials, 'base64').toString().split(':');
  const sent = body instanceof URLSearchParams ? secretNames.map((name) => body.get(name) ?? '') : [];
  return [...sent, credentials, password].filter(({ length }) => length >= MIN_LENGTH);
}
