import { Public } from '@mridang/nestjs-auth';
import { Controller, Get, Inject, Render } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';

@Public()
@Controller()
export class HomeController {
  constructor(@Inject(ENV) private readonly env: Env) {}

  // The login page has the form for a new account, because its CSRF token needs a cookie, which visitors of this page do not get.
  @Get()
  @Render('home')
  home() {
    return { canRegister: this.env.hasRegistration };
  }
}
