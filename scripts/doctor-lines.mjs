import { styleText } from 'node:util';

const colors = { ok: 'green', wrong: 'red', unknown: 'yellow' };

/**
 * The report of the doctor: a line for each check, and one with its cure.
 *
 * @param {import('@mridang/nestjs-zitadel').Check[]} checks
 * @param {NodeJS.WriteStream} stream whose colors count
 */
export function doctorLines(checks, stream) {
  const lines = checks.flatMap(({ id, status, cause, cure, setting }) => {
    const mark = styleText(colors[status], status.padEnd(8), { stream });
    const line = `${mark} ${id.padEnd(22)} ${cause ?? ''}`.trimEnd();
    return cure ? [line, `${' '.repeat(32)}→ ${setting ? `${setting}: ` : ''}${cure}`] : [line];
  });
  const wrong = checks.filter(({ status }) => status === 'wrong').length;
  const open = checks.filter(({ status }) => status === 'unknown').length;
  const found = wrong === 0 ? 'Nothing is wrong' : `${wrong} mistake${wrong === 1 ? '' : 's'} found`;
  const end = `${found}${open > 0 ? `; ${open} of ${checks.length} checks could not be made` : ''}.`;
  return [...lines, '', end].join('\n');
}
