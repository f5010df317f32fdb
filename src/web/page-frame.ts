import { CsrfService, type AuthenticatedRequest, type Session } from '@mridang/nestjs-auth';
import { choicesOf, FORM_NOT_SENT, type OrganizationChoice } from '@mridang/nestjs-zitadel';
import type { Request, Response } from 'express';
import type { TextKey } from '../texts/en.js';
import { languageFor, type Language } from '../texts/language.js';

/** Data of the layout. */
export interface Frame {
  language: Language;
  /** of the signed-in user */
  userName: string | undefined;
  links: readonly { href: string; label: TextKey; isCurrent: boolean }[];
  /** to choose from in the header, for users with roles in several organizations */
  choices: OrganizationChoice[];
  /** whether one of them is active */
  isChosen: boolean;
  /** page that a choice leads back to */
  returnTo: string | undefined;
  /** for the sign-out forms; a visitor gets a CSRF cookie only where there is a form */
  csrfToken: string | undefined;
  /** whether a form was sent, and a new sign-in took its place; shown by pages with a form alone, since any link can say so */
  isFormUnsent: boolean;
}

/** Returns a function that makes the layout data of an answer, after the guard. */
export function pageFrame(csrf: CsrfService, basePath: string) {
  return (request: AuthenticatedRequest & Request, response: Response): Frame => {
    const language = languageFor(request.headers['accept-language']);
    response.setHeader('Content-Language', language);
    response.vary('Accept-Language');
    return {
      language,
      userName: nameOf(request.session),
      links: linksFor(request, basePath),
      ...switcherFor(request),
      csrfToken: request.session ? csrf.token(request, response) : undefined,
      isFormUnsent: new URLSearchParams(request.url.split('?')[1]).has(FORM_NOT_SENT),
    };
  };
}

function switcherFor(request: AuthenticatedRequest) {
  const { organizations = [], activeOrganization } = request.session?.user ?? {};
  return {
    choices:
      organizations.length > (activeOrganization ? 1 : 0) ? choicesOf(organizations, activeOrganization) : [],
    isChosen: activeOrganization !== undefined,
    returnTo: returnToOf(request),
  };
}

/** The page that a form on it leads back to: none after a form post. */
export const returnToOf = ({ method, originalUrl }: AuthenticatedRequest) =>
  method === 'GET' ? originalUrl : undefined;

function linksFor({ url, session }: AuthenticatedRequest, basePath: string) {
  const current = url.split('?', 1)[0];
  const link = (path: string, label: TextKey) => ({
    href: basePath + path,
    label,
    isCurrent: path === current,
  });
  return [
    link('/profile', 'nav.profile'),
    ...(session?.user.roles?.includes('admin') ? [link('/admin', 'nav.admin')] : []),
  ];
}

/** Display name of the signed-in user. */
export const nameOf = (session: Session | null | undefined): string | undefined =>
  session ? (session.user.name ?? session.user.email ?? session.user.id) : undefined;
