// A minimal fast provider for an API: metadata, and introspection that returns every token as active.
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { URLSearchParams } from 'node:url';
import { serve } from './remote.mjs';

const LIFETIME_S = 43_199;

const count = { discoveries: 0, introspections: 0 };

serve({
  async start({ clientId, delayMs }) {
    /** @type {{ metadata: Buffer, active: Buffer }} */
    let answers;
    const server = createServer(async (request, response) => {
      if (request.url === '/.well-known/openid-configuration') {
        count.discoveries++;
        return send(response, 200, answers.metadata);
      }
      const form = new URLSearchParams(await textOf(request));
      count.introspections++;
      if (delayMs > 0) await wait(delayMs);
      const isComplete = form.get('token') && form.get('client_assertion');
      send(response, isComplete ? 200 : 400, isComplete ? answers.active : REFUSAL);
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('The server has no port');
    const issuer = `http://127.0.0.1:${address.port}`;
    answers = { metadata: json(metadata(issuer)), active: json(claims(issuer, clientId)) };
    return issuer;
  },
  discoveries: () => count.discoveries,
  introspections: () => count.introspections,
});

const json = (value) => Buffer.from(JSON.stringify(value));

const REFUSAL = json({ error: 'invalid_client', error_description: 'client must be authenticated' });

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

/** @returns {Promise<string>} */
function textOf(request) {
  return new Promise((resolve, reject) => {
    let text = '';
    request
      .setEncoding('utf8')
      .on('data', (part) => (text += part))
      .on('end', () => resolve(text))
      .on('error', reject);
  });
}

const metadata = (issuer) => ({
  issuer,
  authorization_endpoint: `${issuer}/oauth/v2/authorize`,
  token_endpoint: `${issuer}/oauth/v2/token`,
  introspection_endpoint: `${issuer}/oauth/v2/introspect`,
  jwks_uri: `${issuer}/oauth/v2/keys`,
});

/** The introspection response of Zitadel for a token of a user with a role. */
function claims(issuer, clientId) {
  const [sub, organization, project] = ['312345678901234570', '312345678901234571', '312345678901234572'];
  const now = Math.floor(Date.now() / 1_000);
  return {
    active: true,
    scope: `openid profile email urn:zitadel:iam:org:project:id:${project}:aud`,
    client_id: '312345678901234573',
    token_type: 'Bearer',
    exp: now + LIFETIME_S,
    iat: now,
    auth_time: now,
    nbf: now,
    sub,
    aud: ['312345678901234573', clientId, project],
    amr: ['pwd'],
    iss: issuer,
    jti: 'V2_312345678901234574-at_312345678901234575',
    username: 'alice@acme.example',
    name: 'Alice Adams',
    given_name: 'Alice',
    family_name: 'Adams',
    preferred_username: 'alice@acme.example',
    email: 'alice@acme.example',
    email_verified: true,
    'urn:zitadel:iam:org:project:roles': { admin: { [organization]: 'acme.example' } },
    'urn:zitadel:iam:user:resourceowner:id': organization,
    'urn:zitadel:iam:user:resourceowner:name': 'Acme',
    'urn:zitadel:iam:user:resourceowner:primary_domain': 'acme.example',
  };
}
