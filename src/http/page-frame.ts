import { CsrfService, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import type { NextFunction, Response } from 'express';

/** What the layout of every page shows. */
export interface Frame {
  /** of the person who is signed in */
  readonly userName: string | undefined;
  readonly links: readonly { href: string; label: string; isCurrent: boolean }[];
  /** for the forms of the page; asking for it sets the cookie that belongs to it */
  readonly csrfToken: string;
}

/** Gives every view its frame as `frame`. What a page does not show of it is not computed. */
export function pageFrame(csrf: CsrfService) {
  return (request: AuthenticatedRequest, response: Response, next: NextFunction) => {
    const frame: Frame = {
      get userName() {
        const { user } = request.session ?? {};
        return user && (user.name ?? user.email ?? user.id);
      },
      get links() {
        return linksFor(request);
      },
      get csrfToken() {
        return csrf.token(request, response);
      },
    };
    response.locals['frame'] = frame;
    next();
  };
}

function linksFor({ url, session }: AuthenticatedRequest) {
  const links = [{ href: '/profile', label: 'Profile' }];
  if (session?.user.roles?.includes('admin')) links.push({ href: '/admin', label: 'Admin' });
  const path = url.split('?', 1)[0];
  return links.map((link) => ({ ...link, isCurrent: link.href === path }));
}
