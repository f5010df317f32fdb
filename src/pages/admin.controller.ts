import { AuthSession, RequireRoles, type Session } from '@mridang/nestjs-auth';
import { Controller, Get } from '@nestjs/common';
import { Page } from '../http/page.decorator.js';

@Controller('admin')
@RequireRoles('admin')
export class AdminController {
  @Get()
  @Page('admin')
  admin(@AuthSession() { user }: Session) {
    return { roles: user.roles };
  }
}
