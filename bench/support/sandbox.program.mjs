// The sandbox in a separate process, so that it uses no CPU time of the measured server.
import { startSandbox } from 'zitadel-sandbox';
import { serve } from './remote.mjs';

/** @type {import('zitadel-sandbox').Sandbox} */
let sandbox;

serve({
  async start(options) {
    sandbox = await startSandbox(options);
    const { clientId, clientSecret } = sandbox.clients.web;
    return { issuer: sandbox.issuer, clientId, clientSecret };
  },
  grants: (type) => sandbox.grants(type).length,
  setAccessTokenTtl: (seconds) => sandbox.setAccessTokenTtl(seconds),
  delay: (path, ms) => sandbox.delay(path, ms),
  setRefreshReuse: (ms) => sandbox.setRefreshReuse(ms),
  fail: (path, status) => sandbox.fail(path, status),
  drop: (path, times) => sandbox.drop(path, times),
  refuseTokens: (path, times) => sandbox.refuseTokens(path, times),
  ownerOf: (refreshToken) => sandbox.ownerOf(refreshToken),
});
