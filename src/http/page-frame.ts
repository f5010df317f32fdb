import { CsrfService, SessionService, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';

/** What the layout of every page shows. */
export interface Frame {
  user: { name: string; isAdmin: boolean } | undefined;
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
    const user = session && {
      name: session.user.name ?? session.user.email ?? session.user.id,
      isAdmin: session.user.roles?.includes('admin') ?? false,
    };
    return { user: user ?? undefined, csrfToken: this.csrf.token(request, response) };
  }

  /** Answers with the page `views/pages/<view>.hbs`, never cached. */
  async render(request: AuthenticatedRequest, response: Response, view: string, model: object) {
    // An error page has to appear even when it is the session that cannot be read.
    const frame = await this.of(request, response).catch(() => undefined);
    response.setHeader('Cache-Control', 'no-store').render(view, { ...model, frame });
  }
}
