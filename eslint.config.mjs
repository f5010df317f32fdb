import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Which folder may import which: arrows point down only (docs/architecture.md). */
const noImport = (files, patterns, message) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group: patterns, message }] }] },
});
const inside = 'packages may be imported by name only';

export default tseslint.config(
  { ignores: ['**/dist/**', 'node_modules/**', 'coverage/**', 'public/**'] },
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
          message: 'Only src/main.ts reads the environment, through readEnv().',
        },
      ],
    },
  },
  {
    files: ['scripts/**/*.mjs', '*.mjs', '*.js'],
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
    files: ['src/main.ts', 'packages/zitadel-sandbox/**', 'test/**'],
    rules: { 'no-restricted-properties': 'off' },
  },
  noImport(['src/config/**'], ['../*/**'], 'config stands below everything else in src'),
  noImport(
    ['src/zitadel/**'],
    ['../auth/**', '../pages/**', '../http/**', '../app.*', '../main*'],
    'arrows point down only',
  ),
  noImport(['src/http/**'], ['../auth/**', '../pages/**', '../app.*', '../main*'], 'arrows point down only'),
  noImport(
    ['src/auth/**', 'src/pages/**'],
    ['../app.*', '../main*', 'zitadel-sandbox'],
    'arrows point down only',
  ),
  noImport(['src/*.ts'], ['zitadel-sandbox', '**/packages/**'], inside),
  noImport(
    ['packages/**/src/**'],
    ['**/src/**', 'zitadel-sandbox', '@mridang/nestjs-auth'],
    'packages know nothing of the application',
  ),
);
