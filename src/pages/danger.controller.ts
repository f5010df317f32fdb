import { CsrfService, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { RequireFactors, RequireFreshSignIn } from '@mridang/nestjs-zitadel';
import { Controller, Get, Post, Query, Redirect, Render, Req } from '@nestjs/common';

/** A page for people who have just signed in, and a form for those who did so with several factors. Replace it with yours. */
@Controller('danger')
@RequireFreshSignIn({ maxAgeSeconds: 300 })
export class DangerController {
  constructor(private readonly csrf: CsrfService) {}

  @Get()
  @Render('danger')
  show(@Query('done') done: unknown) {
    return { isDone: done !== undefined };
  }

  /** Redirects, so that a reload does not act again. */
  @Post()
  @Redirect('?done', 303)
  @RequireFactors('mfa')
  act(@Req() request: AuthenticatedRequest) {
    this.csrf.verify(request);
  }
}
