// `npm run requirements`: writes docs/requirements.md, the table of requirements and the tests that cover them.
// With --check it writes nothing, says what is wrong and fails.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = 'docs/requirements.md';

const sections = JSON.parse(readFileSync('docs/requirements.json', 'utf8'));
const tests = testsById();
const rows = sections.flatMap((section) => section.rows);
const problems = [
  ...rows.filter((row) => isCore(row) && !tests.has(row.id)).map(({ id }) => `${id} has no test`),
  ...[...tests.keys()]
    .filter((id) => !rows.some((row) => row.id === id))
    .map((id) => `${id} is no requirement`),
];
const page = pageText();

if (process.argv.includes('--check')) {
  if (readFileSync(PAGE, 'utf8') !== page) problems.push(`${PAGE} is out of date: npm run requirements`);
} else writeFileSync(PAGE, page);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}

/** Tests that run begin their names with the requirements they cover: `[CB1] …`, `[AR2][AR3] …`. */
function testsById() {
  const found = new Map();
  for (const file of specFiles()) {
    const source = withoutComments(readFileSync(file, 'utf8'));
    for (const { 2: ids, 3: title, index } of source.matchAll(
      /(['"`])((?:\[[A-Z]{2}\d+\])+) ((?:(?!\1)[^\\\n]|\\.)+)\1/g,
    )) {
      if (!isRun(source, index)) continue;
      const name = [groupOf(source, index), title].filter(Boolean).join(' › ');
      for (const [id] of ids.matchAll(/[A-Z]{2}\d+/g)) {
        if (!found.has(id)) found.set(id, new Map());
        const names = found.get(id).get(file) ?? [];
        found.get(id).set(file, names.includes(name) ? names : [...names, name]);
      }
    }
  }
  return found;
}

/** Whether a title is that of an `it(` or `it.each(` in a group that is not skipped either. */
function isRun(source, index) {
  const call = source
    .slice(0, index)
    .match(/^ *(?:[fx]?(?:it|test|describe))\b[.\w]*/gm)
    ?.at(-1);
  return (
    /^ *it(\.each)?$/.test(call ?? '') && !/^(xdescribe|describe\.skip)\b/m.test(groupBefore(source, index))
  );
}

/** Of whole lines: what looks like a comment elsewhere is mostly a media type. */
function withoutComments(source) {
  return source.replace(/^ *\/\/.*$|^ *\/\*[^]*?\*\//gm, '');
}

/** The title of the `describe` a test is in; groups do not nest here. */
function groupOf(source, index) {
  const [, , title] = /^describe(?:\.each)?\((['"`])(.+)\1/m.exec(groupBefore(source, index)) ?? [];
  return title;
}

/** The part of a group before a test of it. */
function groupBefore(source, index) {
  return source.slice(Math.max(source.lastIndexOf('\n});\n', index), 0), index);
}

function specFiles() {
  const folders = ['test', ...readdirSync('packages').map((name) => join('packages', name, 'test'))];
  return folders
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)))
    .filter((name) => name.endsWith('.spec.ts'))
    .sort();
}

function isCore({ second, issue }) {
  return !second && !issue;
}

function pageText() {
  return [
    '# What a stranger can test, and the tests that do',
    '',
    'Made by `npm run requirements` from `docs/requirements.json` and the names of the tests; a test keeps it up to date.',
    'Rows marked ° are second line. `%s`, `%j` and `%i` in a name stand for the cases of a table.',
    '',
    ...notThereYet(),
    '<!-- prettier-ignore-start -->',
    ...sections.flatMap(({ section, rows }) => [
      '',
      `## ${section}`,
      '',
      '| id | requirement | tests |',
      '| --- | --- | --- |',
      ...rows.map((row) => `| ${row.id}${row.second ? '°' : ''} | ${escaped(row.text)} | ${coverage(row)} |`),
    ]),
    '',
    '<!-- prettier-ignore-end -->',
    '',
  ].join('\n');
}

function notThereYet() {
  const list = rows.flatMap(deferred);
  return list.length > 0 ? ['Not there yet:', '', ...list, ''] : [];
}

/** What of a row another issue brings. */
function deferred({ id, text, issue, later }) {
  if (later) return [`- ${id}, in part (issue ${later.issue}): ${escaped(later.text)}`];
  return issue && !tests.has(id) ? [`- ${id} (issue ${issue}): ${escaped(text)}`] : [];
}

function coverage({ id, second, issue }) {
  const files = [...(tests.get(id) ?? [])];
  if (files.length > 0)
    return files.map(([file, names]) => `\`${file}\`: ${names.map(escaped).join('; ')}`).join('<br>');
  if (issue) return `comes with issue ${issue}`;
  return second ? 'second line, not covered' : 'none';
}

function escaped(text) {
  return text.replace(/\\(['"`])/g, '$1').replace(/[\\|<>*_[\]]/g, String.raw`\$&`);
}
