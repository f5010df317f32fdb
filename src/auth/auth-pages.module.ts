import { Module } from '@nestjs/common';
import { ZitadelModule } from '../zitadel/zitadel.module.js';
import { BackchannelLogoutController } from './backchannel-logout.controller.js';
import { InitiateController } from './initiate.controller.js';
import { LoginController } from './login.controller.js';
import { LogoutEverywhereController } from './logout-everywhere.controller.js';
import { LogoutStates } from './logout-states.js';
import { LogoutController } from './logout.controller.js';
import { SignOut } from './sign-out.service.js';
import { UserinfoController } from './userinfo.controller.js';

/** What Auth.js does not answer under `/auth`. */
@Module({
  imports: [ZitadelModule],
  providers: [LogoutStates, SignOut],
  controllers: [
    LoginController,
    InitiateController,
    LogoutController,
    LogoutEverywhereController,
    BackchannelLogoutController,
    UserinfoController,
  ],
})
export class AuthPagesModule {}
