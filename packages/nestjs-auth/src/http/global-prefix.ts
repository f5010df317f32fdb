import type { ModuleRef, NestContainer } from '@nestjs/core';

/**
 * The prefix a program gives its routes (`app.setGlobalPrefix()`), as `/prefix`, or an empty string where there is none or
 * `path` is excluded from it. It is set after modules are made, so ask when a request is there.
 */
export function globalPrefix(moduleRef: ModuleRef, path: string): string {
  // Nest injects no ApplicationConfig; the module reference knows the container that holds it.
  const { container } = moduleRef as unknown as { container: NestContainer };
  const config = container.applicationConfig;
  const excluded = config?.getGlobalPrefixOptions().exclude ?? [];
  if (excluded.some(({ pathRegex }) => pathRegex.test(`${path}/session`))) return '';
  const prefix = config?.getGlobalPrefix() ?? '';
  return prefix === '' || prefix.startsWith('/') ? prefix : `/${prefix}`;
}
