import { CsrfService, SessionService, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';

/** What the layout of every page shows. */
export interface Frame {
  /** of the person who is signed in */
  userName: string | undefined;
  links: { href: string; label: string; isCurrent: boolean }[];
  csrfToken: string;
}

@Injectable()
export class PageFrame {
  constructor(
    private readonly sessions: SessionService,
    private readonly csrf: CsrfService,
  ) {}

  async of(request: AuthenticatedRequest, response: Response): Promise<Frame> {
    const session = await this.sessions.load(request, response);
    const links = [{ href: '/profile', label: 'Profile' }];
    if (session?.user.roles?.includes('admin')) links.push({ href: '/admin', label: 'Admin' });
    return {
      userName: session ? (session.user.name ?? session.user.email ?? session.user.id) : undefined,
      links: links.map((link) => ({ ...link, isCurrent: link.href === request.url.split('?')[0] })),
      csrfToken: this.csrf.token(request, response),
    };
  }

  /** Answers with the page `views/pages/<view>.hbs`, never cached. */
  async render(request: AuthenticatedRequest, response: Response, view: string, model: object) {
    // An error page has to appear even when it is the session that cannot be read.
    const frame = await this.of(request, response).catch(() => undefined);
    response.setHeader('Cache-Control', 'no-store').render(view, { ...model, frame });
  }
}
