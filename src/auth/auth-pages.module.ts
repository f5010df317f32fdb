import { Module } from '@nestjs/common';
import { ZitadelModule } from '../zitadel/zitadel.module.js';
import { LoginController } from './login.controller.js';
import { LogoutController } from './logout.controller.js';
import { UserinfoController } from './userinfo.controller.js';

/** What Auth.js does not answer under `/auth`. */
@Module({ imports: [ZitadelModule], controllers: [LoginController, LogoutController, UserinfoController] })
export class AuthPagesModule {}
