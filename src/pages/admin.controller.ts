import { AuthSession, RequireRoles, type Session } from '@mridang/nestjs-auth';
import { labelOf } from '@mridang/nestjs-zitadel';
import { Controller, Get, Render } from '@nestjs/common';

@Controller('admin')
@RequireRoles('admin')
export class AdminController {
  @Get()
  @Render('admin')
  admin(@AuthSession() { user }: Session) {
    const { roles, activeOrganization } = user;
    return { roles, organization: activeOrganization && labelOf(activeOrganization) };
  }
}
