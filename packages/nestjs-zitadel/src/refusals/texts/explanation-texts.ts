import type { SessionEnd, SignInFailure } from '@mridang/nestjs-auth';

/** A word for a fact; two where a route needs something else than a request has. */
export type Label = string | { needed: string; held: string };

/** Facts that an explanation may have. A program's own error may have further ones, which are shown by their names. */
export type FactName =
  | 'session'
  | 'credentials'
  | 'roles'
  | 'grants'
  | 'organization'
  | 'organizationAsked'
  | 'organizations'
  | 'homeOrganization'
  | 'readAt'
  | 'signInAgeSeconds'
  | 'factors'
  | 'scopes'
  | 'csrf'
  | 'origin'
  | 'site'
  | 'bearerToken'
  | 'tokenKind'
  | 'tokenProblem'
  | 'tokenAgeSeconds'
  | 'audience'
  | 'provider';

/** The words of explanations in one language. */
export interface ExplanationTexts {
  /** between a label and its values */
  colon: string;
  /** an empty list */
  none: string;
  labels: Record<FactName, Label>;
}

/** Translations of what is English in the errors themselves. */
export interface Translations extends ExplanationTexts {
  /** values that are words, by the English one, for each fact; with `…` for a part that stays */
  values: Partial<Record<FactName, Record<string, string>>>;
  /** what helps, by code or reason */
  helps: Record<SignInFailure | SessionEnd, string> & Record<string, string>;
}

export const en: ExplanationTexts = {
  colon: ': ',
  none: 'none',
  labels: {
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
  },
};
