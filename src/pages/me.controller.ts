import { isPageRequest, type AuthenticatedRequest, type AuthUser } from '@mridang/nestjs-auth';
import { Authenticate, CurrentUser, FormReturn, FreshToken, LiveUserinfo } from '@mridang/nestjs-zitadel';
import { Body, Controller, Get, HttpCode, Module, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

/** Who calls: a person with a browser, or a program with a bearer token. The one address below `/api` that is not the API's. */
@Controller('api/v1/me')
@Authenticate('session', 'bearer')
class MeController {
  constructor(
    private readonly userinfo: LiveUserinfo,
    private readonly returns: FormReturn,
  ) {}

  @Get()
  me(@CurrentUser() user: AuthUser) {
    return user;
  }

  /** Reads the user from Zitadel again. A form is led back to its page. */
  @Post()
  @HttpCode(200)
  @FreshToken()
  async readAgain(
    @CurrentUser() user: AuthUser,
    @Body('callbackUrl') wanted: unknown,
    @Req() request: Request & AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    if (!request.session) return void response.json(user);
    const isForm = isPageRequest(request.headers);
    const address = isForm ? this.returns.addressFor(wanted, request, response) : undefined;
    if (isForm && address === undefined) return;
    await this.userinfo.claims(request, response);
    if (address === undefined) response.json(request.session.user);
    else response.redirect(303, address);
  }
}

/** A module of its own, so that its routes can be described alone. */
@Module({ controllers: [MeController] })
export class MeModule {}
