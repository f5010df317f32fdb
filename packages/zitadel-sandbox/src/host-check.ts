import type { Context } from './provider.js';

/**
 * The host a request is for, as Zitadel reads it: what a proxy says wins over `Host`
 * (Zitadel: origin_interceptor.go).
 */
export function requestedHost(ctx: Context): string {
  const forwarded = /host="?([^";,]+)/i.exec(ctx.get('forwarded'))?.[1];
  return ctx.get('x-zitadel-instance-host') || forwarded || ctx.get('x-forwarded-host') || ctx.get('host');
}

/** What Zitadel says when no instance has that host. */
export function unknownHostMessage(host: string): string {
  return `unable to set instance using origin http://${host} (ExternalDomain is localhost)\n`;
}
