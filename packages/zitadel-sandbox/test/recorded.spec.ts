import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { startSandbox } from '../src/index.js';
import { BackChannelReceiver } from './support/recorded/back-channel-receiver.js';
import { environmentOf, optionsOf, type EnvironmentName } from './support/recorded/environments.js';
import { Player } from './support/recorded/player.js';
import { recording, type Exchange } from './support/recorded/recording.js';

const handbook = new URL('../../../docs/sandbox.md', import.meta.url);

/** The differences that are kept: the rows of the handbook's table, `file: name` in the first column. */
function keptDifferences(): string[] {
  const [, table = ''] = readFileSync(handbook, 'utf8').split(/<!-- (?:end of )?kept differences -->/);
  return [...table.matchAll(/^\| `(.+?)` *\|/gm)].map(([, name = '']) => name);
}

async function differences(
  environment: EnvironmentName,
  exchanges: Exchange[],
  receiver: BackChannelReceiver,
): Promise<Map<string, string[]>> {
  const sandbox = await startSandbox(optionsOf(environment, receiver.uri));
  const found = new Map<string, string[]>();
  try {
    const player = new Player(sandbox, receiver);
    for (const exchange of exchanges) {
      const lines = await player.differences(exchange);
      if (lines.length > 0) found.set(`${exchange.file}: ${exchange.name}`, lines);
    }
  } finally {
    await sandbox.close();
  }
  return found;
}

it('answers the recorded exchanges as the recorded server did', async () => {
  const exchanges = recording();
  const receiver = await BackChannelReceiver.start();
  const found = new Map<string, string[]>();
  try {
    // one after the other: a sandbox that is closed leaves its keys to the next
    for (const environment of new Set(exchanges.map(environmentOf))) {
      const part = exchanges.filter((exchange) => environmentOf(exchange) === environment);
      for (const [name, lines] of await differences(environment, part, receiver)) found.set(name, lines);
    }
  } finally {
    receiver.close();
  }
  process.stdout.write(`${exchanges.length - found.size} of ${exchanges.length} exchanges equal\n`);
  const kept = keptDifferences();
  const unexpected = [...found].filter(([name]) => !kept.includes(name));
  expect(Object.fromEntries(unexpected)).toEqual({});
  // what has become equal has no place in the table any more
  expect(kept.filter((name) => !found.has(name))).toEqual([]);
});
