import type { Sandbox } from '../../../src/index.js';

/** The value for a recorded placeholder: `<client_id: web, 18 digits>`, `{issuer}` … */
export type Names = Map<string, string>;

/** The names of one sandbox. */
export function namesOf(sandbox: Sandbox): Names {
  const { issuer, projectId, clients, users } = sandbox;
  const names: Names = new Map([
    ['{issuer}', issuer],
    ['{issuer host}', new URL(issuer).host],
    ['<project_id: 18 digits>', projectId],
    // the first domain of an organization is derived from its name and the domain of the instance; the sandbox has others
    ['acme.localhost', 'acme.example'],
    ['globex.localhost', 'globex.example'],
    [
      '<role scopes>',
      ['admin', 'editor', 'viewer', 'reader']
        .map((role) => `urn:zitadel:iam:org:project:role:${role}`)
        .join(' '),
    ],
    ['<foreign_project_id: 18 digits>', '320000000000000200'],
    ['<org_id: acme, 18 digits>', '320000000000000001'],
    ['<org_id: globex, 18 digits>', '320000000000000002'],
  ]);
  for (const [name, client] of Object.entries(clients)) {
    if (client === undefined) continue;
    names.set(`<client_id: ${name}, 18 digits>`, client.clientId);
    if (client.clientSecret) names.set(`<client_secret: ${name}, 64 chars>`, client.clientSecret);
  }
  for (const user of users) {
    const name = user.loginName.split('@')[0] ?? '';
    names.set(`<user_id: ${name}, 18 digits>`, user.id);
    if (user.clientSecret) names.set(`<client_secret: ${name}, 64 chars>`, user.clientSecret);
  }
  return names;
}

/** A recorded text with the placeholders replaced. */
export function named(text: string, names: Names): string {
  let filled = text;
  for (const [placeholder, value] of names) filled = filled.replaceAll(placeholder, value);
  return filled.replaceAll(/<(\d+) times x>/g, (_all, times: string) => 'x'.repeat(Number(times)));
}
