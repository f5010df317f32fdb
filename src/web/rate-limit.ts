import { limitRate } from '@mridang/nestjs-program';
import type { RequestHandler } from 'express';

/** Requests that begin or end a session. Pages are not limited. */
const groups = [
  { paths: /^\/auth\/(signin\/.+|callback(\/.*)?|initiate|start|fresh-sign-in)\/?$/i },
  { paths: /^\/auth\/(signout|logout|logout\/everywhere|logout\/callback)\/?$/i },
  // All of these come from Zitadel's address, so only refused ones count. Events are not limited: Zitadel does not repeat one, and refusing
  // an unsigned one takes one HMAC.
  { paths: /^\/auth\/backchannel-logout\/?$/i, countsRefusedOnly: true },
];

/** Limits sign-ins, callbacks and sign-outs, `perMinute` from one address. */
export const limitSignIns = (perMinute: number): RequestHandler =>
  limitRate(perMinute, groups, 'Add it to TRUSTED_PROXIES, or set AUTH_RATE_LIMIT=0');
