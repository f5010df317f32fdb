import type { ModuleRef, NestContainer } from '@nestjs/core';

/**
 * The prefix a program gives all its routes (`app.setGlobalPrefix()`), as `/prefix` or an empty string. It is set after
 * modules are made, so ask when a request is there.
 */
export function globalPrefix(moduleRef: ModuleRef): string {
  // Nest injects no ApplicationConfig; the module reference knows the container that holds it.
  const { container } = moduleRef as unknown as { container: NestContainer };
  const prefix = container.applicationConfig?.getGlobalPrefix() ?? '';
  return prefix === '' || prefix.startsWith('/') ? prefix : `/${prefix}`;
}
