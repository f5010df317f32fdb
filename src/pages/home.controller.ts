import { Public } from '@mridang/nestjs-auth';
import { Controller, Get, Inject, Render } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';

@Public()
@Controller()
export class HomeController {
  constructor(@Inject(ENV) private readonly env: Env) {}

  @Get()
  @Render('home')
  home() {
    return { canRegister: this.env.hasRegistration };
  }
}
