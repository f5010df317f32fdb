import type { Application, Applications } from '../directory/applications.js';
import { projectsAskedFor } from '../directory/scopes.js';
import type { SandboxUser } from '../directory/users.js';
import { newId } from '../storage/ids.js';

/** A granted login (Zitadel: "OIDC session"): all tokens of it carry its id and end with it. */
export interface Grant {
  id: string;
  user: SandboxUser;
  /** undefined for service users, who log in without an application */
  application?: Application;
  scopes: string[];
  /** undefined for tokens that were exchanged */
  authTime?: number;
  amr: string[];
  nonce?: string;
  /** id of the browser session */
  sid?: string;
  /** where the tokens are for others than the application's project */
  audience?: string[];
  /** who acts for the user (RFC 8693 section 4.1) */
  act?: { iss: string; sub: string };
  /** lifetime of the ID token, where it is not the instance's */
  idTokenSeconds?: number;
}

export function newGrantId(): string {
  return `V2_${newId()}`;
}

/** Every client id of the project, the project, and the projects asked for. */
export function audienceOf(applications: Applications, { application, scopes, audience }: Grant): string[] {
  if (audience) return audience;
  const own = application ? [...applications.clientIdsOf(application.project), application.project.id] : [];
  return [...new Set([...own, ...projectsAskedFor(scopes)])];
}

/** The client's id in tokens; the client of a service user is the user, by its login name. */
export function clientIdOf({ application, user }: Grant): string {
  return application?.clientId ?? user.loginName;
}

// Zitadel leaves amr out when no method of its own was used
export function knownMethods({ amr }: Grant): string[] | undefined {
  return amr.length > 0 ? amr : undefined;
}
