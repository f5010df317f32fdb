import type { Context } from '../storage/provider.js';

/** The domain of the instance (Zitadel: `ExternalDomain`). */
const externalDomain = 'localhost';

/**
 * The origin that a request addresses. As in Zitadel, the headers of a proxy take precedence over `Host`
 * (origin_interceptor.go), and only the `host` of `Forwarded` is read.
 */
export function requestedOrigin(ctx: Context): { host: string; scheme: string } {
  const forwarded = /host="?([^";,]+)/i.exec(ctx.get('forwarded'))?.[1];
  const host =
    ctx.get('x-zitadel-instance-host') || forwarded || ctx.get('x-forwarded-host') || ctx.get('host');
  return { host, scheme: ctx.get('x-forwarded-proto') === 'https' ? 'https' : 'http' };
}

/** True when the instance has this domain. Any port is accepted and becomes part of the issuer. */
export function isKnownHost(host: string): boolean {
  return host.replace(/:\d+$/, '') === externalDomain;
}

/** Zitadel's message when no instance has that host. */
export function unknownHostMessage(host: string, scheme: string): string {
  return (
    `unable to set instance using origin &{${host}  ${scheme}} (ExternalDomain is ${externalDomain}): ` +
    'ID=QUERY-1kIjX Message=Instance not found. Make sure you got the domain right. ' +
    'Check out https://zitadel.com/docs/apis/introduction#domains'
  );
}
