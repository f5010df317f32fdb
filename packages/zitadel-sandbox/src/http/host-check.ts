import type { Context } from '../storage/provider.js';

/** The domain of the sandbox's only instance (Zitadel: `ExternalDomain`). */
const externalDomain = 'localhost';

/**
 * The origin a request is for, as Zitadel reads it: what a proxy says wins over `Host`
 * (Zitadel: origin_interceptor.go). Of the `Forwarded` header only the host counts.
 */
export function requestedOrigin(ctx: Context): { host: string; scheme: string } {
  const forwarded = /host="?([^";,]+)/i.exec(ctx.get('forwarded'))?.[1];
  const host =
    ctx.get('x-zitadel-instance-host') || forwarded || ctx.get('x-forwarded-host') || ctx.get('host');
  return { host, scheme: ctx.get('x-forwarded-proto') === 'https' ? 'https' : 'http' };
}

/** The instance is found by its domain; every port of it is served, and becomes part of the issuer. */
export function isKnownHost(host: string): boolean {
  return host.replace(/:\d+$/, '') === externalDomain;
}

/** What Zitadel says when no instance has that host. */
export function unknownHostMessage(host: string, scheme: string): string {
  return (
    `unable to set instance using origin &{${host}  ${scheme}} (ExternalDomain is ${externalDomain}): ` +
    'ID=QUERY-1kIjX Message=Instance not found. Make sure you got the domain right. ' +
    'Check out https://zitadel.com/docs/apis/introduction#domains'
  );
}
