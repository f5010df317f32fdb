/**
 * Runs Lighthouse on the landing page and the profile as in production, and fails below a score of 95 of 100.
 * Needs `npm run build`, Chromium, and the npm registry (Lighthouse is not a dependency).
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { startSandbox } from 'zitadel-sandbox';

const LIGHTHOUSE = 'lighthouse@12.8.2';
const LEAST = 95;
/** The best score counts, because other load on the machine must not matter. */
const RUNS = 3;
const categories = ['performance', 'accessibility', 'best-practices', 'seo'];
const usualPlaces = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

const port = await freePort();
const origin = `http://localhost:${port}`;
const sandbox = await startSandbox({
  web: {
    redirectUris: [`${origin}/auth/callback`],
    postLogoutRedirectUris: [`${origin}/auth/logout/callback`],
  },
});
const program = spawn(process.execPath, ['dist/main.js'], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    LOG_LEVEL: 'error',
    PORT: String(port),
    SESSION_SECRET: 'a secret for the audit that is long enough',
    SESSION_SALT: 'a salt for the audit',
    ZITADEL_DOMAIN: sandbox.issuer,
    ZITADEL_CLIENT_ID: sandbox.clients.web.clientId,
    ZITADEL_CLIENT_SECRET: sandbox.clients.web.clientSecret ?? '',
    ZITADEL_CALLBACK_URL: `${origin}/auth/callback`,
    ZITADEL_POST_LOGOUT_URL: `${origin}/auth/logout/callback`,
  },
});
const folder = mkdtempSync(join(tmpdir(), 'audit-'));
try {
  await answers();
  const cookie = await signedIn('alice@acme.example');
  const table = {};
  for (const [path, headers] of [
    ['/', {}],
    ['/profile', { cookie }],
  ]) {
    const { scores, findings } = await bestOf(path, headers);
    table[path] = scores;
    for (const finding of findings) console.log(`${path}: ${finding}`);
    if (Object.values(scores).some((score) => score < LEAST)) process.exitCode = 1;
  }
  console.table(table);
  if (process.exitCode) console.error(`Every page has to have ${LEAST} or more in every category.`);
} finally {
  program.kill();
  await sandbox.close();
  rmSync(folder, { recursive: true });
}

/** The best scores of several runs; one run is enough if they are good. */
async function bestOf(path, headers) {
  const scores = {};
  let findings = [];
  for (let run = 0; run < RUNS; run++) {
    const report = await audit(path, headers);
    if (new URL(report.finalDisplayedUrl).pathname !== path) throw new Error(`Not let in to ${path}`);
    findings = findingsIn(report);
    for (const name of categories)
      scores[name] = Math.max(scores[name] ?? 0, Math.round(report.categories[name].score * 100));
    if (categories.every((name) => scores[name] >= LEAST)) break;
  }
  return { scores, findings };
}

async function audit(path, headers) {
  const output = join(folder, 'report.json');
  await promisify(execFile)(
    'npx',
    [
      '--yes',
      LIGHTHOUSE,
      origin + path,
      '--quiet',
      '--output=json',
      `--output-path=${output}`,
      `--only-categories=${categories.join(',')}`,
      `--extra-headers=${JSON.stringify(headers)}`,
      '--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-background-networking',
    ],
    { env: { ...process.env, CHROME_PATH: chromiumPath() }, cwd: folder, timeout: 180_000 },
  );
  return JSON.parse(readFileSync(output, 'utf8'));
}

/** The audits that reduce the score, with their elements. */
function findingsIn({ categories: found, audits }) {
  return Object.values(found).flatMap(({ id, auditRefs }) =>
    auditRefs
      .filter((ref) => ref.weight > 0 && (audits[ref.id].score ?? 1) < 1)
      .map((ref) => {
        const { title, displayValue = '', details } = audits[ref.id];
        const about = (details?.items ?? []).map(
          (item) => item.node?.snippet ?? item.url ?? item.description,
        );
        return `${id}: ${title} ${displayValue} ${about.filter(Boolean).slice(0, 5).join(' ')}`.trim();
      }),
  );
}

function chromiumPath() {
  const path = [process.env.CHROMIUM_PATH, chromium.executablePath(), ...usualPlaces].find(
    (place) => place && existsSync(place),
  );
  if (!path) throw new Error('Chromium is needed: install it, or set CHROMIUM_PATH to it');
  return path;
}

/** The cookies of a signed-in user. */
async function signedIn(loginName) {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] });
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${origin}/auth/login`);
    await page.locator('form[action="/auth/signin/zitadel"] button').first().click();
    await page.locator(`button[name="loginName"][value="${loginName}"]`).click();
    await page.waitForURL(`${origin}/profile`);
    return (await context.cookies(origin)).map(({ name, value }) => `${name}=${value}`).join('; ');
  } finally {
    await browser.close();
  }
}

async function answers() {
  for (let attempt = 0; attempt < 200 && program.exitCode === null; attempt++) {
    const answer = await fetch(origin).catch(() => undefined);
    if (answer?.ok) return;
    await wait(100);
  }
  throw new Error(`${origin} does not answer`);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
}
