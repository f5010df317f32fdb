import type { Application, Applications } from '../directory/applications.js';
import { requestedProjectIds } from '../directory/scopes.js';
import type { SandboxUser } from '../directory/users.js';
import { newId } from '../storage/ids.js';

/** A granted login (Zitadel: "OIDC session"). All its tokens contain its id and are revoked with it. */
export interface Grant {
  id: string;
  user: SandboxUser;
  /** undefined for service users, who sign in without an application */
  application?: Application;
  scopes: string[];
  /** undefined after a token exchange */
  authTime?: number;
  amr: string[];
  nonce?: string;
  /** id of the browser session */
  sid?: string;
  /** set when the audience is not the application's project */
  audience?: string[];
  /** the actor (RFC 8693 section 4.1) */
  act?: { iss: string; sub: string };
  /** set when the lifetime of the ID token is not the instance's */
  idTokenSeconds?: number;
}

export function newGrantId(): string {
  return `V2_${newId()}`;
}

/** The `aud` claim: every client id of the project, the project, and the requested projects. */
export function audienceOf(applications: Applications, { application, scopes, audience }: Grant): string[] {
  if (audience) return audience;
  const own = application ? [...applications.clientIdsOf(application.project), application.project.id] : [];
  return [...new Set([...own, ...requestedProjectIds(scopes)])];
}

/** The `client_id` claim; for a service user its login name. */
export function clientIdOf({ application, user }: Grant): string {
  return application?.clientId ?? user.loginName;
}

// Zitadel leaves `amr` out when it would be empty
export function amrClaim({ amr }: Grant): string[] | undefined {
  return amr.length > 0 ? amr : undefined;
}
