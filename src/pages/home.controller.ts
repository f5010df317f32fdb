import { Public } from '@mridang/nestjs-auth';
import { Controller, Get, Render } from '@nestjs/common';

@Public()
@Controller()
export class HomeController {
  @Get()
  @Render('home')
  home() {
    return {};
  }
}
