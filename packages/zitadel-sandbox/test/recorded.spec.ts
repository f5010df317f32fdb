import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import { BackChannelReceiver } from './support/recorded/back-channel-receiver.js';
import { environmentOf, optionsOf, type EnvironmentName } from './support/recorded/environments.js';
import { Player } from './support/recorded/player.js';
import { recording } from './support/recorded/recording.js';

const receiver = new BackChannelReceiver();
const sandboxes: Sandbox[] = [];
const exchanges = recording();
const players = new Map<EnvironmentName, Player>();

beforeAll(async () => {
  const uri = await receiver.listen();
  await Promise.all(
    [...new Set(exchanges.map(environmentOf))].map(async (environment) => {
      const sandbox = await startSandbox(optionsOf(environment, uri));
      sandboxes.push(sandbox);
      players.set(environment, new Player(sandbox, receiver));
    }),
  );
});
afterAll(async () => {
  receiver.close();
  await Promise.all(sandboxes.map((sandbox) => sandbox.close()));
});

it('answers the recorded exchanges as the recorded server did', async () => {
  const different: string[] = [];
  for (const exchange of exchanges) {
    const differences = (await players.get(environmentOf(exchange))?.differences(exchange)) ?? ['not played'];
    if (differences.length > 0)
      different.push(`${exchange.file}: ${exchange.name}\n   ${differences.join('\n   ')}`);
  }
  process.stdout.write(`${exchanges.length - different.length} of ${exchanges.length} exchanges equal\n`);
  if (process.env['SHOW_DIFFERENCES']) process.stdout.write(`${different.join('\n')}\n`);
  expect(different).toEqual([]);
});
