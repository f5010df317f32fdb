import { CsrfService, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import type { NextFunction, Response } from 'express';
import type { TextKey } from '../texts/en.js';
import { languageFor, type Language } from '../texts/language.js';
import { nameOf } from './name-of.js';

/** What the layout of every page shows. */
export interface Frame {
  language: Language;
  /** of the person who is signed in */
  userName: string | undefined;
  links: readonly { href: string; label: TextKey; isCurrent: boolean }[];
  /** for the log-out forms; a visitor gets a cookie only where there is a form */
  csrfToken: string | undefined;
}

/** Gives every view its frame: the function is called when a page is rendered, after the guard. */
export function pageFrame(csrf: CsrfService, basePath: string) {
  return (request: AuthenticatedRequest, response: Response, next: NextFunction) => {
    response.locals['frame'] = (): Frame => {
      const language = languageFor(request.headers['accept-language']);
      response.setHeader('Content-Language', language);
      response.vary('Accept-Language');
      return {
        language,
        userName: nameOf(request.session),
        links: linksFor(request, basePath),
        csrfToken: request.session ? csrf.token(request, response) : undefined,
      };
    };
    next();
  };
}

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
