import type { Sandbox } from 'zitadel-sandbox';

/** The tokens of the sandbox's service user by the client credentials grant. */
export async function serviceUserTokens(
  { issuer, users }: Sandbox,
  scope: string,
  name?: string,
): Promise<{ access_token: string; id_token: string }> {
  const { loginName = '', clientSecret = '' } =
    users.find((one) => one.kind === 'machine' && (name ?? one.loginName) === one.loginName) ?? {};
  const answer = await fetch(`${issuer}/oauth/v2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: loginName,
      client_secret: clientSecret,
      scope,
    }),
  });
  return (await answer.json()) as { access_token: string; id_token: string };
}
