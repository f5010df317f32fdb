import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Packages are imported by their name, and the sandbox only by tests and scripts. */
const packages = {
  group: ['zitadel-sandbox', 'zitadel-sandbox/*', '**/packages/**', '@mridang/*/*'],
  message: 'packages are imported by name, and the sandbox not at all',
};
const openId = {
  group: ['openid-client', 'oauth4webapi', '@auth/core', '@auth/core/*', 'jose', 'ioredis'],
  message: 'only packages/nestjs-zitadel speaks OpenID Connect and Redis',
};

/** What no package may import; nestjs-zitadel may import nestjs-auth. */
const foreignToZitadel = [
  ...['**/../../../src/**', 'zitadel-sandbox', '@mridang/*/*'],
  ...['@mridang/nestjs-program', '@mridang/nestjs-zitadel'],
];
const foreign = [...foreignToZitadel, '@mridang/nestjs-auth'];
const foreignToSetup = foreign.filter((name) => name !== '@mridang/nestjs-zitadel');

/** The folders of the sandbox; each may import from those after it only. */
const sandboxFolders = [
  ...['management', 'protocol', 'login', 'tokens', 'instance', 'sessions'],
  ...['actions', 'directory', 'keys', 'http', 'storage'],
];

/** What the files of a folder may not import: arrows point down only (docs/architecture.md). */
const zone = (files, ...above) => ({
  files: [`src/${files}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          packages,
          openId,
          ...(above.length > 0 ? [{ group: above, message: 'arrows point down only' }] : []),
        ],
      },
    ],
  },
});

const programs = ['../app.*', '../main*'];
const features = ['../auth/**', '../pages/**', '../api/**', ...programs];

export default tseslint.config(
  { ignores: ['build/**', '**/dist/**', 'node_modules/**', 'coverage/**'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: ['tsconfig.test.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-extraneous-class': 'off',
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only main.ts reads the environment, through readEnv() or readApiEnv().',
        },
      ],
    },
  },
  {
    files: [
      'scripts/**/*.mjs',
      'bench/**/*.mjs',
      'test/**/*.mjs',
      'packages/*/test/**/*.mjs',
      '*.mjs',
      '*.js',
    ],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'fetch',
          'setTimeout',
          'setInterval',
          'AbortSignal',
          'URL',
          'URLSearchParams',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['src/main.ts', 'src/api/main.ts', 'packages/zitadel-sandbox/**', 'test/**'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['public/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'addEventListener',
          'document',
          'HTMLInputElement',
          'Intl',
          'IntersectionObserver',
          'location',
          'navigator',
          'setTimeout',
          'URL',
          'XMLHttpRequest',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  zone('*.ts'),
  zone('pages/**', '../auth/**', '../api/**', ...programs),
  zone('auth/**', '../pages/**', '../api/**', ...programs),
  zone('api/**', '../auth/**', '../pages/**', ...programs),
  zone('web/**', ...features),
  zone('observability/**', ...features),
  zone('texts/**', '../*/**', ...programs),
  zone('config/**', '../*/**', ...programs),
  { files: ['packages/**/src/**'], rules: { 'no-restricted-imports': ['error', { patterns: foreign }] } },
  {
    files: ['packages/nestjs-zitadel/src/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: foreignToZitadel }] },
  },
  {
    files: ['packages/zitadel-setup/src/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: foreignToSetup }] },
  },
  ...sandboxFolders.map((folder, index) => ({
    files: [`packages/zitadel-sandbox/src/${folder}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: foreign, message: 'this package knows neither src nor other packages' },
            {
              group: [
                ...['main', 'index', 'sandbox', 'routes'].map((file) => `**/${file}.js`),
                ...['cli', ...sandboxFolders.slice(0, index)].map((above) => `**/${above}/**`),
              ],
              message: 'arrows point down only',
            },
          ],
        },
      ],
    },
  })),
);
