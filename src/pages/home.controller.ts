import { Public } from '@mridang/nestjs-auth';
import { Controller, Get } from '@nestjs/common';
import { Page } from '../http/page.decorator.js';

@Public()
@Controller()
export class HomeController {
  @Get()
  @Page('home')
  home() {
    return {};
  }
}
