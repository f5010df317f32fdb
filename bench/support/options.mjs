// The options of a command.
import process from 'node:process';
import { parseArgs } from 'node:util';

/**
 * Prints `usage` for `--help`, and with the reason for an unknown option or a missing value. Both end the process.
 *
 * @param {string} usage
 * @param {import('node:util').ParseArgsOptionsConfig} options
 */
export function optionsOf(usage, options) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } });
    if (!values.help) return values;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    wrongUse(`${error.message.split('. ')[0]}\n\n${usage}`);
  }
}

/** @returns {never} */
export function wrongUse(sentence) {
  console.error(sentence);
  process.exit(2);
}
