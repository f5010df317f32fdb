import { AuthSession, RequireRoles, type Session } from '@mridang/nestjs-auth';
import { Controller, Get, Render } from '@nestjs/common';

@Controller('admin')
@RequireRoles('admin')
export class AdminController {
  @Get()
  @Render('admin')
  admin(@AuthSession() { user }: Session) {
    const { name, domain, id } = user.activeOrganization ?? {};
    return { roles: user.roles, organization: name ?? domain ?? id };
  }
}
