/** Whether a request asks the token endpoint for a grant of this type. */
export const isGrant = (
  init: RequestInit | undefined,
  type: 'authorization_code' | 'refresh_token',
): init is { body: URLSearchParams } =>
  init?.body instanceof URLSearchParams && init.body.get('grant_type') === type;
