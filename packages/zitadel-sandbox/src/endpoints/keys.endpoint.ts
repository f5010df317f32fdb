import type { Endpoint } from '../call.js';

/** `GET /oauth/v2/keys`: the active and the next signing key, and those retired. */
export const publishedKeys: Endpoint = async ({ ctx }, { keys }) => {
  ctx.set('Cache-Control', 'max-age=300, must-revalidate');
  ctx.remove('Pragma');
  ctx.remove('Expires');
  ctx.body = await keys.jwks();
};
