import { CsrfService, SessionService, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Body, Controller, Inject, NotFoundException, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Authenticate } from '../authenticate/authenticate.decorators.js';
import { FormReturn } from '../http/form-return.js';
import { seeOther } from '../sign-out/sign-out-pages.js';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { OrganizationWithoutRoles, roleFacts } from './organization.errors.js';

/** Changes the active organization. Only with `organizations: 'active'`. */
@Authenticate('session')
@Controller('auth/organization')
export class OrganizationController {
  constructor(
    private readonly sessions: SessionService,
    private readonly csrf: CsrfService,
    private readonly returns: FormReturn,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  /** Stores the choice in the session, without a request to Zitadel, and redirects to `callbackUrl`. */
  @Post()
  async choose(
    @Body('organization') organization: unknown,
    @Body('callbackUrl') wanted: unknown,
    @Req() request: Request & AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    if (this.options.organizations === 'any') throw new NotFoundException();
    this.csrf.verify(request);
    const { user } = request.session ?? {};
    if (!user?.organizations?.some(({ id }) => id === organization))
      throw new OrganizationWithoutRoles(roleFacts(user ?? {}), organization);
    const address = this.returns.addressFor(wanted, request, response);
    if (address === undefined) return;
    await this.sessions.update(request, response, { organization });
    seeOther(response, address);
  }
}
