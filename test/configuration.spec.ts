import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'dotenv';
import { doctorPage } from '../scripts/doctor-docs.mjs';
import { configurationPage, envExample } from '../scripts/env-docs.mjs';
import { apiVariables } from '../src/config/api-env.js';
import { commandVariables, readCommandEnv } from '../src/config/command-env.js';
import { ConfigError, explain } from '@mridang/nestjs-program';
import { mistakes } from '@mridang/nestjs-zitadel';
import { readEnv, variables } from '../src/config/env.js';
import { configErrorText, refusedVariables } from './support/config-problems.js';

const good = {
  SESSION_SECRET: 'a-secret-of-at-least-thirty-two-characters',
  ZITADEL_DOMAIN: 'https://my-instance.zitadel.cloud/',
  ZITADEL_CLIENT_ID: '320000000000000101',
};
const production = {
  ...good,
  NODE_ENV: 'production',
  SESSION_SALT: 'a-salt',
  ZITADEL_CALLBACK_URL: 'https://app.example.com/auth/callback',
};

type Source = Record<string, string | undefined>;
const saidOf = (source: Source) => configErrorText(() => readEnv(source));
const problemsOf = (source: Source) => refusedVariables(() => readEnv(source));

describe('the defaults of the configuration', () => {
  it('are those for a development machine', () => {
    expect(readEnv(good)).toEqual({
      production: false,
      cacheViews: false,
      port: 3000,
      logLevel: 'info',
      origin: 'http://localhost:3000',
      basePath: '',
      address: 'http://localhost:3000',
      session: {
        secrets: [good.SESSION_SECRET],
        salt: '',
        durationSeconds: 3600,
        maxDurationSeconds: 43_200,
        claimsMaxAgeSeconds: 300,
      },
      zitadel: {
        issuer: 'https://my-instance.zitadel.cloud',
        clientId: '320000000000000101',
        clientSecret: undefined,
        callbackUrl: 'http://localhost:3000/auth/callback',
        postLoginPath: '/profile',
        postLogoutUrl: 'http://localhost:3000/auth/logout/callback',
        loginOrigins: [],
        scopes: undefined,
        userMetadata: true,
        eventsKey: [],
        organizations: 'any',
        allowInsecureHttp: false,
        checkAtStart: true,
        timeoutSeconds: 10,
      },
      hasRegistration: false,
      accountUrl: 'https://my-instance.zitadel.cloud/ui/console/users/me?id=security',
      authRateLimit: 60,
      trustedProxies: [],
      api: undefined,
      warnings: [],
    });
  });

  it('apply to empty values', () => {
    expect(readEnv({ ...good, PORT: '', ZITADEL_CLIENT_SECRET: ' ' })).toEqual(readEnv(good));
  });

  it('are derived from PORT and from the origin of ZITADEL_CALLBACK_URL', () => {
    expect(readEnv({ ...good, PORT: '3100' }).zitadel.callbackUrl).toBe(
      'http://localhost:3100/auth/callback',
    );
    expect(readEnv(production).zitadel.postLogoutUrl).toBe('https://app.example.com/auth/logout/callback');
  });

  it('do not change ZITADEL_CALLBACK_URL by a single character', () => {
    const ZITADEL_CALLBACK_URL = 'https://App.example.com:443/auth/callback';
    expect(readEnv({ ...good, ZITADEL_CALLBACK_URL }).zitadel.callbackUrl).toBe(ZITADEL_CALLBACK_URL);
    expect(readEnv({ ...good, ZITADEL_CALLBACK_URL }).origin).toBe('https://app.example.com');
  });
});

describe('ZITADEL_EVENTS_KEY', () => {
  const [first, second] = ['a'.repeat(36), 'b'.repeat(36)];

  it('is a list of keys', () => {
    const { zitadel } = readEnv({ ...good, ZITADEL_EVENTS_KEY: ` ${first} , ${second},` });
    expect(zitadel.eventsKey).toEqual([first, second]);
  });

  it.each(['short', `${first},short`])('is refused as %s, of which the message says nothing', (value) => {
    const read = () => readEnv({ ...good, ZITADEL_EVENTS_KEY: value });
    expect(read).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ variable: 'ZITADEL_EVENTS_KEY' })] }),
    );
    expect(read).not.toThrow(value);
  });
});

describe('BASE_PATH', () => {
  const below = {
    ...production,
    BASE_PATH: '/base',
    ZITADEL_CALLBACK_URL: 'https://app.example.com/base/auth/callback',
  };

  it('is part of every address that is not configured', () => {
    expect(readEnv({ ...good, BASE_PATH: '/base' })).toMatchObject({
      origin: 'http://localhost:3000',
      address: 'http://localhost:3000/base/',
      zitadel: {
        callbackUrl: 'http://localhost:3000/base/auth/callback',
        postLogoutUrl: 'http://localhost:3000/base/auth/logout/callback',
        postLoginPath: '/base/profile',
      },
    });
  });

  it.each([
    ['/welcome?a=b#c', '/base/welcome?a=b#c'],
    ['/base/welcome', '/base/welcome'],
    ['https://app.example.com/base/welcome', '/base/welcome'],
    ['/', '/base/'],
    ['/base', '/base'],
  ])('precedes ZITADEL_POST_LOGIN_URL=%s unless it is already there: %s', (ZITADEL_POST_LOGIN_URL, path) => {
    expect(readEnv({ ...below, ZITADEL_POST_LOGIN_URL }).zitadel.postLoginPath).toBe(path);
  });

  it.each([
    ['ZITADEL_CALLBACK_URL', 'https://app.example.com/auth/callback'],
    ['ZITADEL_CALLBACK_URL', 'https://app.example.com/basement/auth/callback'],
    ['ZITADEL_CALLBACK_URL', 'https://app.example.com/base'],
    ['ZITADEL_CALLBACK_URL', 'https://app.example.com/base/base/callback'],
    ['ZITADEL_POST_LOGOUT_URL', 'https://app.example.com/auth/logout/callback'],
    ['ZITADEL_POST_LOGOUT_URL', 'https://app.example.com/base/auth/callback'],
    ['ZITADEL_POST_LOGIN_URL', 'https://app.example.com/profile'],
    ['ZITADEL_POST_LOGIN_URL', '//welcome'],
    ['ZITADEL_POST_LOGIN_URL', '/auth/login'],
    ['ZITADEL_POST_LOGIN_URL', '/base/auth/login'],
    ['ZITADEL_POST_LOGIN_URL', '/auth/callback'],
  ])('makes %s=%s a problem', (name, value) => {
    expect(problemsOf({ ...below, [name]: value })).toEqual([name]);
  });

  it('leads to an error with a correct example when ZITADEL_CALLBACK_URL is not below it', () => {
    expect(saidOf({ ...below, ZITADEL_CALLBACK_URL: production.ZITADEL_CALLBACK_URL })).toContain(
      'ZITADEL_CALLBACK_URL: expected an address below BASE_PATH, such as https://app.example.com/base/auth/callback',
    );
  });

  it.each(['base', '/', '/base/', '//base', '/a//b', '/../base', '/.', '/a b', '/a%20b', '/a;b', '/a?b'])(
    'is refused as %s',
    (BASE_PATH) => {
      expect(problemsOf({ ...good, BASE_PATH })).toContain('BASE_PATH');
    },
  );

  it.each(['/base', '/team/app_1', '/v1.2', '/~someone', '/profiles'])('is accepted as %s', (BASE_PATH) => {
    expect(readEnv({ ...good, BASE_PATH }).basePath).toBe(BASE_PATH);
  });

  it('is not needed for a ZITADEL_CALLBACK_URL with a path of its own', () => {
    const ZITADEL_CALLBACK_URL = 'https://app.example.com/base/auth/callback';
    expect(readEnv({ ...production, ZITADEL_CALLBACK_URL })).toMatchObject({ basePath: '' });
  });
});

describe('a SESSION_DURATION longer than the default SESSION_MAX_DURATION', () => {
  it('is reduced to SESSION_MAX_DURATION for the session and its cookie, with a warning at start', () => {
    const { session, warnings } = readEnv({ ...good, SESSION_DURATION: '604800' });
    expect(session).toMatchObject({ durationSeconds: 43_200, maxDurationSeconds: 43_200 });
    expect(warnings).toEqual([
      'SESSION_DURATION is longer than SESSION_MAX_DURATION, which is 43200 s: sessions end that long after sign-in. Set SESSION_MAX_DURATION as well',
    ]);
  });

  it('is kept without a warning when SESSION_MAX_DURATION allows it', () => {
    const source = { ...good, SESSION_DURATION: '604800', SESSION_MAX_DURATION: '604800' };
    expect(readEnv(source)).toMatchObject({ session: { durationSeconds: 604_800 }, warnings: [] });
  });
});

describe('the check of the configuration', () => {
  it.each([
    ['PORT', '65536'],
    ['SESSION_DURATION', '34560000'],
    ['SESSION_MAX_DURATION', '34560000'],
    ['SESSION_CLAIMS_MAX_AGE', '34560000'],
    ['AUTH_RATE_LIMIT', '1000001'],
  ])('reports the largest value of %s for a larger one', (name, value) => {
    const largest = { PORT: 65_535, AUTH_RATE_LIMIT: 1_000_000 }[name] ?? 31_536_000;
    const text = saidOf({ ...good, [name]: value });
    expect(text).toContain(`${name}: expected `);
    expect(text).toContain(String(largest));
    expect(problemsOf({ ...good, [name]: String(largest) })).toEqual([]);
  });

  it('reports all problems in one error, with name, expected value and how to get one, and without the value', () => {
    const error = (() => {
      try {
        return readEnv({
          PORT: 'eighty',
          SESSION_DURATION: '0',
          SESSION_SECRET: 'hunter2-is-too-short',
          ZITADEL_DOMAIN: 'zitadel',
        });
      } catch (thrown) {
        return thrown as ConfigError;
      }
    })() as ConfigError;
    expect(error.problems.map(({ variable }) => variable)).toEqual([
      'PORT',
      'SESSION_SECRET',
      'SESSION_DURATION',
      'ZITADEL_DOMAIN',
      'ZITADEL_CLIENT_ID',
    ]);
    const text = explain(error);
    expect(text).toContain('SESSION_SECRET: expected at least 32 characters');
    expect(text).toMatch(/node -e ".*randomBytes\(32\).*"/);
    expect(text).not.toMatch(/hunter2|eighty/);
  });

  it.each([
    ['NODE_ENV', 'staging'],
    ['PORT', '70000'],
    ['PORT', '0'],
    ['PORT', '3000.5'],
    ['LOG_LEVEL', 'loud'],
    ['SESSION_SECRET', 'long-enough-to-be-the-first-secret,short'],
    ['SESSION_DURATION', '-1'],
    ['SESSION_DURATION', '1h'],
    ['SESSION_MAX_DURATION', '0'],
    ['SESSION_CLAIMS_MAX_AGE', '-1'],
    ['SESSION_CLAIMS_MAX_AGE', '5m'],
    ['ZITADEL_USER_METADATA', 'no'],
    ['ZITADEL_REGISTRATION', 'yes'],
    ['ZITADEL_ACCOUNT_URL', '/account'],
    ['ZITADEL_ACCOUNT_URL', 'javascript:alert(1)'],
    ['ZITADEL_ACCOUNT_URL', 'http://account.example.com'],
    ['ZITADEL_SCOPES', 'profile email'],
    ['ZITADEL_SCOPES', 'openid profile profile'],
    ['ZITADEL_SCOPES', 'openid "profile"'],
    ['ZITADEL_SCOPES', 'openid urn:zitadel:iam:org:id:320000000000000001'],
    ['ZITADEL_SCOPES', 'openid urn:zitadel:iam:org:domain:primary:acme.example'],
    ['ZITADEL_DOMAIN', 'https://my-instance.zitadel.cloud/path'],
    ['ZITADEL_DOMAIN', 'https://user:password@my-instance.zitadel.cloud'],
    ['ZITADEL_DOMAIN', 'http://zitadel.example.com'],
    ['ZITADEL_CALLBACK_URL', '/auth/callback'],
    ['ZITADEL_CALLBACK_URL', 'http://localhost:3000/auth/callback#fragment'],
    ['ZITADEL_CALLBACK_URL', 'javascript:alert(1)'],
    ['ZITADEL_POST_LOGIN_URL', 'https://evil.example/'],
    ['ZITADEL_POST_LOGIN_URL', 'profile'],
    ['ZITADEL_POST_LOGIN_URL', '/auth/login'],
    ['ZITADEL_LOGIN_ORIGINS', 'https://login.example.com/path'],
    ['ZITADEL_POST_LOGOUT_URL', 'https://elsewhere.example/auth/logout/callback'],
    ['ZITADEL_POST_LOGOUT_URL', 'http://localhost:3000/auth/callback'],
    ['API_URL', 'http://localhost:3001/api/v1/app'],
    ['API_URL', 'http://api.example.com'],
    ['AUTH_RATE_LIMIT', '-1'],
    ['AUTH_RATE_LIMIT', 'many'],
    ['TRUSTED_PROXIES', '1'],
    ['TRUSTED_PROXIES', 'true'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', 'proxy.example.com'],
    ['IDP_PROJECT_ID', '320000000000000100 openid'],
    ['ALLOW_INSECURE_HTTP', 'yes'],
  ])('refuses %s=%s', (name, value) => {
    expect(problemsOf({ ...good, [name]: value })).toEqual([name]);
  });

  it('refuses ZITADEL_USER_METADATA=false with the scope of metadata', () => {
    const ZITADEL_SCOPES = 'openid urn:zitadel:iam:user:metadata';
    const without = { ...good, ZITADEL_SCOPES, ZITADEL_USER_METADATA: 'false' };
    expect(problemsOf(without)).toEqual(['ZITADEL_USER_METADATA']);
    expect(saidOf(without)).toContain('true or nothing, or ZITADEL_SCOPES without');
    expect(problemsOf({ ...without, ZITADEL_USER_METADATA: undefined })).toEqual([]);
    expect(problemsOf({ ...without, ZITADEL_USER_METADATA: 'true' })).toEqual([]);
  });

  it.each([
    ['profile', 'scopes separated by spaces, openid among them'],
    ['openid profile profile', 'scopes separated by spaces, each scope once'],
    ['openid "profile"', 'scopes separated by spaces, valid scopes (RFC 6749 3.3)'],
  ])('names the rule that ZITADEL_SCOPES=%s breaks', (ZITADEL_SCOPES, rule) => {
    expect(saidOf({ ...good, ZITADEL_SCOPES })).toContain(rule);
  });

  it.each(['http://localhost:8080', 'http://127.0.0.1:8080', 'http://zitadel.localhost'])(
    'accepts the ZITADEL_DOMAIN %s on this machine',
    (ZITADEL_DOMAIN) => {
      expect(problemsOf({ ...good, ZITADEL_DOMAIN })).toEqual([]);
    },
  );

  it.each([
    ['ZITADEL_DOMAIN', 'http://[::1]:8080'],
    ['ZITADEL_LOGIN_ORIGINS', 'https://login.example.com,https://[2001:db8::1]'],
  ])('refuses an IPv6 address in %s, because form-action cannot contain one', (name, value) => {
    expect(problemsOf({ ...good, [name]: value })).toEqual([name]);
    expect(saidOf({ ...good, [name]: value })).toContain(
      'a name or an IPv4 address in place of the IPv6 address: Content-Security-Policy knows none, so browsers would not send the login form there',
    );
  });

  it.each(['/AUTH/login', '/Auth/Error', '/auth', '/auth/', '/auth/../auth/login'])(
    'refuses ZITADEL_POST_LOGIN_URL=%s below /auth',
    (path) => {
      expect(problemsOf({ ...good, ZITADEL_POST_LOGIN_URL: path })).toEqual(['ZITADEL_POST_LOGIN_URL']);
    },
  );

  it.each(['"', "'", '`'])(
    'refuses a value in quotes (%s), as docker run --env-file passes it, with the remedy',
    (quote) => {
      const quoted = {
        ...good,
        PORT: '3000',
        ZITADEL_CLIENT_SECRET: 'a-client-secret',
        ZITADEL_POST_LOGIN_URL: '/profile',
      };
      const names = Object.keys(quoted) as (keyof typeof quoted)[];
      for (const name of names) {
        const source = { ...quoted, [name]: `${quote}${quoted[name]}${quote}` };
        expect(problemsOf(source)).toEqual([name]);
        expect(saidOf(source)).toContain(
          'without the quotes around it: docker run --env-file passes them on',
        );
      }
    },
  );

  it.each([
    'redis://:a%b@redis:6379',
    'redis://a%zz@redis',
    'redis://redis:6379/abc',
    'redis://redis/1/2',
    'redis://redis/-1',
  ])('refuses REDIS_URL=%s with the remedy', (REDIS_URL) => {
    expect(problemsOf({ ...good, REDIS_URL })).toEqual(['REDIS_URL']);
    expect(saidOf({ ...good, REDIS_URL })).toContain('% in a password is written %25');
  });

  it.each(['redis://redis', 'redis://redis:6379/', 'redis://redis:6379/3', 'rediss://u:p%25@redis:6380/0'])(
    'accepts REDIS_URL=%s',
    (REDIS_URL) => {
      expect(problemsOf({ ...good, REDIS_URL })).toEqual([]);
    },
  );

  it('accepts http on another host with ALLOW_INSECURE_HTTP=true', () => {
    const ZITADEL_DOMAIN = 'http://zitadel.example.com';
    expect(problemsOf({ ...good, ZITADEL_DOMAIN, ALLOW_INSECURE_HTTP: 'true' })).toEqual([]);
  });
});

describe('in production, the check of the configuration', () => {
  it('requires ZITADEL_CALLBACK_URL with https', () => {
    expect(problemsOf(production)).toEqual([]);
    expect(problemsOf({ ...production, ZITADEL_CALLBACK_URL: undefined })).toEqual(['ZITADEL_CALLBACK_URL']);
    expect(
      problemsOf({ ...production, ZITADEL_CALLBACK_URL: 'http://app.example.com/auth/callback' }),
    ).toEqual(['ZITADEL_CALLBACK_URL']);
  });

  it('trims spaces and looks at each value of a list', () => {
    const placeholder = variables.SESSION_SECRET.placeholder;
    const spaced = { ...production, NODE_ENV: 'production ' };
    expect(problemsOf({ ...spaced, SESSION_SECRET: placeholder })).toEqual(['SESSION_SECRET']);
    expect(problemsOf({ ...spaced, SESSION_SECRET: `${good.SESSION_SECRET},${placeholder}` })).toEqual([
      'SESSION_SECRET',
    ]);
    expect(problemsOf({ ...spaced, ZITADEL_CALLBACK_URL: ' ' })).toEqual(['ZITADEL_CALLBACK_URL']);
  });

  it('requires SESSION_SALT', () => {
    expect(problemsOf({ ...production, SESSION_SALT: undefined })).toEqual(['SESSION_SALT']);
    expect(problemsOf({ ...good, SESSION_SALT: undefined })).toEqual([]);
  });

  it.each([
    ['SESSION_SECRET', 'your-very-secret-and-strong-session-key'],
    ['SESSION_SECRET', 'YOUR_SECRET_KEY_AT_LEAST_32_CHARACTERS_LONG'],
    ['SESSION_SECRET', 'change-me-change-me-change-me-change-me'],
    ['SESSION_SECRET', 'changeme'.repeat(4)],
    ['SESSION_SECRET', 'replace-me-with-something-random-please'],
    ['SESSION_SECRET', '0'.repeat(64)],
    ['SESSION_SALT', 'your-cryptographic-salt'],
    ['ZITADEL_CLIENT_SECRET', 'your-randomly-generated-client-secret'],
    ['ZITADEL_CLIENT_ID', 'your_client_id_from_console'],
    ['ZITADEL_CLIENT_ID', 'your-client-id'],
    ['ZITADEL_DOMAIN', 'https://your-zitadel-domain'],
    ['ZITADEL_DOMAIN', 'https://your-instance.zitadel.cloud'],
    ['METRICS_TOKEN', 'your-metrics-token'],
    ['ZITADEL_EVENTS_KEY', 'replace-me-with-the-signing-key-of-the-target'],
  ])('refuses a value from public examples: %s=%s', (name, value) => {
    expect(problemsOf({ ...production, [name]: value })).toEqual([name]);
    expect(problemsOf({ ...good, [name]: value })).toEqual([]);
  });

  it('refuses every placeholder of .env.example', () => {
    const example = parse(envExample(variables, apiVariables, commandVariables));
    expect(problemsOf({ ...example, NODE_ENV: 'development' })).toEqual([]);
    const placeholders = Object.entries(variables).flatMap(([name, variable]) =>
      'placeholder' in variable ? [name] : [],
    );
    expect(placeholders.length).toBeGreaterThan(3);
    const https = { ZITADEL_CALLBACK_URL: production.ZITADEL_CALLBACK_URL, ZITADEL_POST_LOGOUT_URL: '' };
    expect(problemsOf({ ...example, NODE_ENV: 'production', ...https })).toEqual(placeholders);
  });
});

describe('The configuration of npm run token', () => {
  const sufficient = { ZITADEL_DOMAIN: 'http://localhost:8080', ZITADEL_CLI_CLIENT_ID: '123' };

  it("is the API's Zitadel and project, and the application", () => {
    expect(readCommandEnv(sufficient)).toEqual({
      issuer: 'http://localhost:8080',
      clientId: '123',
      allowInsecureHttp: false,
    });
    const more = { IDP_AUTHORITY: 'https://my.zitadel.example/', IDP_PROJECT_ID: '456' };
    expect(readCommandEnv({ ...sufficient, ...more })).toMatchObject({
      issuer: 'https://my.zitadel.example',
      projectId: '456',
    });
  });

  it.each([
    ['ZITADEL_CLI_CLIENT_ID', ''],
    ['ZITADEL_DOMAIN', ''],
    ['ZITADEL_DOMAIN', 'localhost:8080'],
    ['ZITADEL_DOMAIN', 'http://my.zitadel.example'],
    ['IDP_AUTHORITY', 'http://my.zitadel.example'],
    ['IDP_PROJECT_ID', 'a b'],
  ])('refuses %s=%s', (name, value) => {
    expect(refusedVariables(() => readCommandEnv({ ...sufficient, [name]: value }))).toEqual([name]);
  });
});

describe('the generated file', () => {
  it('.env.example is up to date', () => {
    expect(readFileSync('.env.example', 'utf8')).toBe(envExample(variables, apiVariables, commandVariables));
  });

  it('docs/configuration.md is up to date', () => {
    expect(readFileSync('docs/configuration.md', 'utf8')).toBe(
      configurationPage(variables, apiVariables, commandVariables),
    );
  });

  it('docs/doctor.md is up to date', () => {
    expect(readFileSync('docs/doctor.md', 'utf8')).toBe(doctorPage(mistakes));
  });
});
