import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One step of a recipe: a new file, a change to a file, or a command. */
type Step = { kind: 'new' | 'change'; path: string; text: string } | { kind: 'command'; text: string };

/** The steps in a page: a block belongs to the file named in the line before it. */
export function stepsIn(markdown: string): Step[] {
  const blocks = markdown.matchAll(/([^\n]*)\n\n```(\w+)\n(.*?)```/gs);
  return [...blocks].map(([, line = '', language = '', text = '']): Step => {
    if (language === 'sh') return { kind: 'command', text };
    const path = /[Ii]n `([^`]+)`|New file `([^`]+)`/.exec(line)?.slice(1).find(Boolean);
    if (!path) throw new Error(`No file is named before a block: ${line}`);
    return { kind: language === 'diff' ? 'change' : 'new', path, text };
  });
}

/** Executes a step below `folder`. Throws unless the lines to be changed occur exactly once. */
export function apply(step: Step, folder: string): void {
  if (step.kind === 'command') {
    const { status, stderr } = spawnSync('sh', ['-ec', step.text], { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return;
  }
  const path = join(folder, step.path);
  if (step.kind === 'new') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, step.text, { flag: 'wx' });
  } else writeFileSync(path, changed(readFileSync(path, 'utf8'), step));
}

function changed(source: string, { path, text }: { path: string; text: string }): string {
  return text.split('@@\n').reduce((result, hunk) => {
    const lines = hunk.split('\n').slice(0, -1);
    const without = (sign: string) =>
      lines
        .filter((line) => !line.startsWith(sign))
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    const [before, ...after] = result.split(without('+'));
    if (after.length !== 1)
      throw new Error(`${path} has these lines ${after.length} times:\n${without('+')}`);
    return `${before}${without('-')}${after[0]}`;
  }, source);
}
