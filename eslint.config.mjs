import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What nothing in `src` may import: the sandbox, and packages by any way but their name. */
const foreign = ['zitadel-sandbox', 'zitadel-sandbox/*', '**/packages/**', '@mridang/nestjs-auth/*'];
/** What only `src/zitadel` may import. */
const openId = ['openid-client', 'oauth4webapi', '@auth/core', '@auth/core/*'];

/** What no package may import. */
const foreignToPackages = ['**/../src/**', 'zitadel-sandbox', '@mridang/nestjs-auth'];
/** The folders of the sandbox; each may import from those after it only. */
const sandboxFolders = [
  ...['protocol', 'login', 'tokens', 'instance', 'sessions'],
  ...['directory', 'keys', 'http', 'storage'],
];

/** Which folder may import which: arrows point down only (docs/architecture.md). */
const zone = (folder, ...above) => ({
  files: [`src/${folder}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { group: foreign, message: 'packages are imported by name, and the sandbox not at all' },
          ...(folder.startsWith('zitadel')
            ? []
            : [{ group: openId, message: 'only src/zitadel speaks OpenID Connect' }]),
          ...(above.length > 0 ? [{ group: above, message: 'arrows point down only' }] : []),
        ],
      },
    ],
  },
});

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
    files: ['scripts/**/*.mjs', 'bench/**/*.mjs', 'test/**/*.mjs', '*.mjs', '*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'fetch', 'setTimeout', 'setInterval', 'AbortSignal', 'URL'].map((name) => [
          name,
          'readonly',
        ]),
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
          'Intl',
          'IntersectionObserver',
          'location',
          'navigator',
          'setTimeout',
          'XMLHttpRequest',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  zone('*.ts'),
  zone('pages/**', '../auth/**', '../api/**', '../app.*', '../main*'),
  zone('auth/**', '../pages/**', '../api/**', '../app.*', '../main*'),
  zone('api/**', '../pages/**', '../auth/**', '../app.*', '../main*'),
  zone('http/**', '../auth/**', '../pages/**', '../api/**', '../app.*', '../main*'),
  zone('zitadel/**', '../auth/**', '../pages/**', '../api/**', '../http/**', '../app.*', '../main*'),
  zone(
    'state/**',
    '../auth/**',
    '../pages/**',
    '../api/**',
    '../http/**',
    '../zitadel/**',
    '../app.*',
    '../main*',
  ),
  zone(
    'metrics/**',
    '../auth/**',
    '../pages/**',
    '../api/**',
    '../http/**',
    '../zitadel/**',
    '../state/**',
    '../app.*',
    '../main*',
  ),
  zone('texts/**', '../*/**', '../app.*', '../main*'),
  zone('config/**', '../*/**', '../app.*', '../main*'),
  {
    files: ['packages/**/src/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: foreignToPackages }] },
  },
  ...sandboxFolders.map((folder, index) => ({
    files: [`packages/zitadel-sandbox/src/${folder}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: foreignToPackages, message: 'packages know neither src nor each other' },
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
