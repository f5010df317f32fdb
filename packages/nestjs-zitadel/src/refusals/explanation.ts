import { inspect } from 'node:util';
import { onOneLine, type RefusalFacts, type RefusalReason } from '@mridang/nestjs-auth';
import { redacted } from '../log/redacted.js';
import { failureTexts, sessionEndTexts, signInTexts, type FailureText } from './failure-texts.js';

/** Why a request was refused, as plain data: bounded, and without tokens, cookies and secrets. */
export interface Explanation {
  /** what the route needs */
  needed: RefusalFacts;
  /** what the request has of that */
  held: RefusalFacts;
  /** what would help */
  help: string;
}

/** Characters of a fact. */
export const MAX_LENGTH = 120;
const MAX_HELP_LENGTH = 500;
/** Members of a list, and facts. */
export const MAX_ITEMS = 20;

/** The words for a fact; two where a route needs something else than a request has. */
const labels: Record<string, string | { needed: string; held: string }> = {
  session: { needed: 'a session', held: 'session' },
  credentials: 'one of the credentials',
  roles: { needed: 'one of the roles', held: 'roles that count' },
  grants: 'roles by organization',
  organization: { needed: 'an organization in which the user has a role', held: 'active organization' },
  organizationAsked: 'organization asked for, which is unknown or grants the user no role',
  organizations: 'organizations with roles',
  homeOrganization: { needed: 'a member of the organization', held: 'organization of the user' },
  readAt: 'read at Zitadel',
  signInAgeSeconds: {
    needed: 'at most this many seconds since the sign-in',
    held: 'seconds since the sign-in',
  },
  factors: { needed: 'all of the factors', held: 'factors' },
  scopes: { needed: 'all of the scopes', held: 'scopes' },
  csrf: 'CSRF token',
  origin: 'origin',
  site: 'Sec-Fetch-Site',
  bearerToken: { needed: 'a bearer token', held: 'bearer token' },
  tokenKind: 'kind of token',
  tokenProblem: 'problem of the token',
  tokenAgeSeconds: 'seconds since the token was issued',
  audience: { needed: 'in the audience (project or client ID)', held: 'audience' },
  provider: 'provider of the session',
};

interface Found {
  code: string;
  reason: string | undefined;
  also: RefusalFacts | undefined;
}

/** Returns the explanation of a refusal with a code, or of a failed sign-in with a reason. */
export const explain = (
  { needed, held, help }: RefusalReason,
  { code, reason = '', also }: Found,
): Explanation => ({
  needed: bounded(needed),
  held: { ...bounded(held), ...bounded(also) },
  help: typeof help === 'string' ? shortened(help, MAX_HELP_LENGTH) : helpFor(code, reason),
});

function helpFor(code: string, reason: string): string {
  const texts: Record<string, FailureText> = { ...failureTexts, ...signInTexts, ...sessionEndTexts };
  const name = Object.hasOwn(texts, reason) ? reason : code;
  return Object.hasOwn(texts, name) ? (texts[name]?.helps.replaceAll('`', '') ?? '') : '';
}

/**
 * Cuts long texts and lists, escapes control characters and hides what looks like a secret: a fact may be what a caller has sent, and one
 * of a program's own error may be of any type.
 */
export function bounded(facts: unknown): RefusalFacts {
  if (typeof facts !== 'object' || facts === null) return {};
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    known.slice(0, MAX_ITEMS).map(([name, value]) => [shortened(name), boundedValue(value)]),
  );
}

function boundedValue(value: unknown): RefusalFacts[string] {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (!Array.isArray(value)) return shortened(value);
  const shown = value.slice(0, MAX_ITEMS).map((item) => shortened(item));
  return value.length > MAX_ITEMS ? [...shown, `… ${value.length - MAX_ITEMS} more`] : shown;
}

/** Returns a value as a part of a line, without secrets. */
export function shortened(value: unknown, maxLength = MAX_LENGTH): string {
  const text = typeof value === 'string' ? value : inspect(value, { compact: true, breakLength: Infinity });
  return redacted(onOneLine(text, maxLength));
}

/** An explanation in words, for people: plain text in English. */
export const phrasesOf = ({ needed, held, help }: Explanation) => ({
  needed: Object.entries(needed).map((fact) => phrase('needed', fact)),
  held: Object.entries(held).map((fact) => phrase('held', fact)),
  help,
});

function phrase(side: 'needed' | 'held', [name, value]: [string, RefusalFacts[string]]): string {
  const label = Object.hasOwn(labels, name) ? (labels[name] ?? name) : name;
  const words = typeof label === 'string' ? label : label[side];
  if (value === true) return words;
  return `${words}: ${typeof value === 'object' ? value.join(', ') || 'none' : String(value)}`;
}
