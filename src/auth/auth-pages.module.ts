import { Module } from '@nestjs/common';
import { LoginController } from './login.controller.js';
import { LogoutPagesController } from './logout-pages.controller.js';
import { UserinfoController } from './userinfo.controller.js';

/** The pages below `/auth`, and userinfo. */
@Module({ controllers: [LoginController, LogoutPagesController, UserinfoController] })
export class AuthPagesModule {}
