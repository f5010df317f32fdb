import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const folder = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** What the compiler says about programs that use the package by its name. */
function diagnosticsOf(sources: Record<string, string>): Record<string, string[]> {
  const { config } = ts.readConfigFile(resolve(folder, '../../tsconfig.base.json'), (path) =>
    ts.sys.readFile(path),
  ) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, folder);
  const files = new Map(Object.entries(sources).map(([name, text]) => [resolve(folder, 'test', name), text]));
  const settings: ts.CompilerOptions = {
    ...options,
    noEmit: true,
    declaration: false,
    declarationMap: false,
    noUnusedLocals: false,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    paths: {
      '@mridang/nestjs-auth': [resolve(folder, 'src/index.ts')],
      '@mridang/nestjs-auth/testing': [resolve(folder, 'src/testing/index.ts')],
    },
  };
  const host = ts.createCompilerHost(settings);
  const original = { ...host };
  host.fileExists = (path) => files.has(path) || original.fileExists(path);
  host.readFile = (path) => files.get(path) ?? original.readFile(path);
  host.getSourceFile = (path, language, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? original.getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, text, language);
  };
  const program = ts.createProgram([...files.keys()], settings, host);
  return Object.fromEntries(
    [...files.keys()].map((path) => [
      path.slice(resolve(folder, 'test').length + 1),
      ts
        .getPreEmitDiagnostics(program, program.getSourceFile(path))
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    ]),
  );
}

describe('the README', () => {
  it('has samples that compile', () => {
    const readme = readFileSync(resolve(folder, 'README.md'), 'utf8');
    const samples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);
    expect(samples.length).toBeGreaterThan(5);
    const files = Object.fromEntries(samples.map((code, index) => [`sample-${index}.ts`, code]));
    expect(diagnosticsOf(files)).toEqual(Object.fromEntries(Object.keys(files).map((name) => [name, []])));
  }, 60_000);
});

describe('the types', () => {
  const importing = (names: string, code: string) =>
    `import { ${names} } from '@mridang/nestjs-auth';\n${code}`;
  const options = `{ origin: 'https://app.example', secret: 'x'.repeat(32), providers: [] }`;

  it('can be augmented and refuse misuse', () => {
    const found = diagnosticsOf({
      'augmented.ts': importing(
        'type AuthUser, type Session',
        `declare module '@mridang/nestjs-auth' {
          interface AuthUserAugmentation { department: string }
          interface SessionAugmentation { tenant: number; user: AuthUser }
        }
        export const read = (session: Session): [string, number, string] => [session.user.department, session.tenant, session.user.id];
        export const user: AuthUser = { id: '1', department: 'sales' };`,
      ),
      'wrong-augmented.ts': importing(
        'type Session',
        `export const read = (session: Session): number => session.user.department;`,
      ),
      'wrong-member.ts': importing(
        'type Session',
        `export const read = (session: Session) => session.accessToken;`,
      ),
      'wrong-roles.ts': importing('RequireRoles', `export const roles = RequireRoles(['admin']);`),
      'wrong-origin.ts': importing(
        'AuthModule',
        `export const module = AuthModule.register({ secret: 'x', providers: [] });`,
      ),
      'wrong-raw.ts': importing(
        'AuthModule',
        `export const module = AuthModule.register({ ...${options}, raw: true });`,
      ),
      'wrong-option.ts': importing(
        'AuthModule',
        `export const module = AuthModule.register(${options}, { globalguard: true });`,
      ),
      'wrong-factory.ts': importing(
        'AuthModule',
        `export const module = AuthModule.registerAsync({ useFactory: () => 'nothing' });`,
      ),
      'wrong-null.ts': importing(
        'type AuthenticatedRequest',
        `export const name = (request: AuthenticatedRequest): string | null | undefined => request.session.user.name;`,
      ),
    });
    expect(found['augmented.ts']).toEqual([]);
    for (const [name, messages] of Object.entries(found).filter(([file]) => file.startsWith('wrong-'))) {
      expect([name, messages.length]).toEqual([name, 1]);
    }
  }, 60_000);

  it('compile programs written for the original package', () => {
    const found = diagnosticsOf({
      'options.ts': importing(
        'AuthModule, AuthModuleOptions, type AuthOptionsFactory, type IAuthModuleOptions',
        `import { skipCSRFCheck } from '@auth/core';
        const origin = 'https://app.example';
        const secret: string | undefined = process.env['AUTH_SECRET'];
        const strategy: 'jwt' | 'database' = 'jwt';
        export const options: IAuthModuleOptions = {
          origin, secret, providers: [], trustHost: true, basePath: '/auth', useSecureCookies: true, skipCSRFCheck,
          session: { strategy, maxAge: 3600, updateAge: 60, generateSessionToken: () => 'x' },
        };
        export const made = new AuthModuleOptions();
        made.providers = options.providers;
        export class Factory implements AuthOptionsFactory {
          createAuthOptions(): IAuthModuleOptions { return options; }
        }
        export const module = AuthModule.registerAsync({
          useFactory: (...args: readonly unknown[]) => ({ ...options, property: String(args[0]) }),
          inject: ['NAME'],
        });`,
      ),
      'guard.ts': importing(
        'AuthGuard',
        `import type { User } from '@auth/core/types';
        import { Injectable, UnauthorizedException, type ExecutionContext } from '@nestjs/common';
        @Injectable()
        export class CoreGuard extends AuthGuard() {
          override handleRequest(err: Error | null, user: User | null, _info: unknown, _context: ExecutionContext): User {
            if (err || !user) throw new UnauthorizedException();
            return user;
          }
        }
        @Injectable()
        export class GenericGuard extends AuthGuard('jwt') {
          override handleRequest<TUser = User>(_err: unknown, user: TUser | null): TUser {
            if (!user) throw new UnauthorizedException();
            return user;
          }
        }`,
      ),
      'session.ts': importing(
        'type AuthenticatedRequest, type Session',
        `export const nobody: Session = { user: null, expires: new Date().toISOString() };
        export const nameOf = (session: Session | null) => session?.user?.name ?? 'nobody';
        export const request: Pick<AuthenticatedRequest, 'session'> = { session: nobody };`,
      ),
    });
    expect(found).toEqual({ 'options.ts': [], 'guard.ts': [], 'session.ts': [] });
  }, 60_000);

  it('are found by the module resolution Node10', () => {
    const importer = resolve(folder, '../../test/importer.ts');
    const settings = { moduleResolution: ts.ModuleResolutionKind.Node10, module: ts.ModuleKind.CommonJS };
    const fileOf = (name: string) =>
      ts.resolveModuleName(name, importer, settings, ts.sys).resolvedModule?.resolvedFileName;
    expect(fileOf('@mridang/nestjs-auth')).toBe(resolve(folder, 'dist/index.d.ts'));
    expect(fileOf('@mridang/nestjs-auth/testing')).toBe(resolve(folder, 'dist/testing/index.d.ts'));
  });

  it('include every export that a program of the original package may use', () => {
    const names = [
      'AuthModule',
      'type AuthModuleConfig',
      'AuthGuard',
      'type IAuthGuard',
      'AuthMiddleware',
      'Public',
      'RequireRoles',
      'AuthSession',
      'IS_PUBLIC_KEY',
      'REQUIRED_ROLES_KEY',
      'type IAuthModuleOptions',
      'AuthModuleOptions',
      'type AuthModuleAsyncOptions',
      'type AuthOptionsFactory',
      'toWebRequest',
      'toHttpResponse',
      'type Session',
      'type SessionBase',
      'type SessionAugmentation',
      'type AuthUser',
      'type AuthUserBase',
      'type AuthUserAugmentation',
      'type AuthenticatedRequest',
      'RolesGuard',
      'SessionRequired',
    ];
    expect(diagnosticsOf({ 'names.ts': importing(names.join(', '), '') })).toEqual({ 'names.ts': [] });
  }, 60_000);
});
