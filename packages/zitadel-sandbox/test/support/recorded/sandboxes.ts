import { startSandbox } from '../../../src/index.js';
import { BackChannelReceiver } from './back-channel-receiver.js';
import { environmentOf, optionsOf, type EnvironmentName } from './environments.js';
import { Player } from './player.js';
import type { Exchange } from './recording.js';

/** A replayed exchange: `file: name`, and one line for each difference. */
export interface Played {
  name: string;
  differences: string[];
}

/** Replays the exchanges against sandboxes that are set up as the recorded server was. */
export async function playSandboxes(exchanges: Exchange[]): Promise<Played[]> {
  const receiver = await BackChannelReceiver.start();
  const played: Played[] = [];
  try {
    // one after the other: a closed sandbox returns its keys to the pool for the next
    for (const environment of new Set(exchanges.map(environmentOf))) {
      const part = exchanges.filter((exchange) => environmentOf(exchange) === environment);
      played.push(...(await playSandbox(environment, part, receiver)));
    }
  } finally {
    receiver.close();
  }
  return played;
}

async function playSandbox(
  environment: EnvironmentName,
  exchanges: Exchange[],
  receiver: BackChannelReceiver,
): Promise<Played[]> {
  const sandbox = await startSandbox(optionsOf(environment, receiver.uri));
  const played: Played[] = [];
  try {
    const player = new Player(sandbox, receiver);
    for (const exchange of exchanges) {
      const name = `${exchange.file}: ${exchange.name}`;
      played.push({ name, differences: await player.differences(exchange) });
    }
  } finally {
    await sandbox.close();
  }
  return played;
}
