import { CsrfService, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import type { NextFunction, Response } from 'express';

/** What the layout of every page shows. Handlebars calls what a page shows of it, and nothing else. */
export interface Frame {
  /** of the person who is signed in */
  userName: () => string | undefined;
  links: () => readonly { href: string; label: string; isCurrent: boolean }[];
  /** for the forms of the page; asking for it sets the cookie that belongs to it */
  csrfToken: () => string;
}

/** Gives every view its frame as `frame`. */
export function pageFrame(csrf: CsrfService) {
  return (request: AuthenticatedRequest, response: Response, next: NextFunction) => {
    response.locals['frame'] = {
      userName: () => nameOf(request),
      links: () => linksFor(request),
      csrfToken: () => csrf.token(request, response),
    } satisfies Frame;
    next();
  };
}

function nameOf({ session }: AuthenticatedRequest) {
  return session ? (session.user.name ?? session.user.email ?? session.user.id) : undefined;
}

function linksFor({ url, session }: AuthenticatedRequest) {
  const links = [{ href: '/profile', label: 'Profile' }];
  if (session?.user.roles?.includes('admin')) links.push({ href: '/admin', label: 'Admin' });
  const path = url.split('?', 1)[0];
  return links.map((link) => ({ ...link, isCurrent: link.href === path }));
}
