import { apiKeyFrom, ApiKeyInvalid } from '@mridang/nestjs-zitadel';
import { existsSync } from 'node:fs';
import { applicationKeys, madeKey } from '../management/messages.js';
import { explainRefusal } from '../management/rights.js';
import { SetupError } from '../setup.error.js';
import { applicationNames } from './application-specs.js';
import { projectIdOf, unchanged, type Outcome, type Step, type World } from './step.js';

const SERVICE = 'application.v2.ApplicationService';
const LIFETIME_YEARS = 1;
const WHAT = `key of application ${applicationNames.api}`;

/** The key of the API application: a new one only when its file is missing, or its key is expired or unknown to Zitadel. */
export async function apiKeyStep(world: World): Promise<Step> {
  const reason = await reasonForNewKey(world);
  if (reason === undefined) return unchanged(WHAT);
  const expires = expirationDate();
  const details = [reason, `valid until ${expires.slice(0, 10)}`];
  return { what: WHAT, outcome: 'created', details, apply: () => create(world, expires) };
}

async function reasonForNewKey({
  client,
  projectId,
  applications,
  wanted,
}: World): Promise<string | undefined> {
  if (!existsSync(wanted.keyFile)) return 'there is no key file yet';
  const application = applications.get(applicationNames.api);
  if (projectId === undefined || !application) return 'the application is new';
  const { applicationId, clientId } = application;
  const key = keyIn(wanted.keyFile);
  if (key?.clientId !== clientId) return 'the key file is of another application';
  const filters = [{ applicationIdFilter: { applicationId } }, { projectIdFilter: { projectId } }];
  const message = { filters, pagination: { limit: 1000 } };
  const { keys } = await client.call(`${SERVICE}/ListApplicationKeys`, message, applicationKeys);
  const known = keys.find(({ keyId }) => keyId === key.keyId);
  if (!known) return 'Zitadel does not know the key of the file';
  return new Date(known.expirationDate).getTime() > Date.now() ? undefined : 'the key has expired';
}

function keyIn(file: string) {
  try {
    return apiKeyFrom({ file });
  } catch (error) {
    if (error instanceof ApiKeyInvalid) return undefined;
    throw error;
  }
}

function expirationDate(): string {
  const date = new Date();
  date.setUTCFullYear(date.getUTCFullYear() + LIFETIME_YEARS);
  return date.toISOString();
}

async function create(world: World, expires: string): Promise<Outcome> {
  const application = world.applications.get(applicationNames.api);
  if (!application) throw new Error('The application comes before its key');
  const message = {
    projectId: projectIdOf(world),
    applicationId: application.applicationId,
    expirationDate: expires,
  };
  const { keyDetails } = await world.client
    .call(`${SERVICE}/CreateApplicationKey`, message, madeKey)
    .catch((error: unknown) => explainRefusal(error, 'change this project'));
  const content = Buffer.from(keyDetails, 'base64').toString();
  try {
    apiKeyFrom({ file: content });
  } catch (error) {
    throw new SetupError('Zitadel gave a key for the API application that cannot be read', { cause: error });
  }
  world.newKey = content;
  return 'created';
}
