// Remote calls to a child process over the IPC channel of Node.js.
import process from 'node:process';

/**
 * Lets the parent process call `functions`. Exits when the parent has ended.
 *
 * @param {Record<string, (...args: any[]) => unknown>} functions
 */
export function serve(functions) {
  process.on('message', async ({ id, name, args }) => {
    try {
      process.send?.({ id, result: await functions[name]?.(...args) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.stack : String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
}

/**
 * Calls a function that a child process serves.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<any>}
 */
export function call(child, name, ...args) {
  const id = `${name} ${Math.random()}`;
  return new Promise((resolve, reject) => {
    const done = () => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    const onMessage = (message) => {
      if (message.id !== id) return;
      done();
      if (message.error) reject(new Error(`${name}: ${message.error}`));
      else resolve(message.result);
    };
    const onExit = () => {
      done();
      reject(new Error(`The process ended before ${name} was done`));
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
    child.send({ id, name, args });
  });
}
