import { Module } from '@nestjs/common';
import { LoginController } from './login.controller.js';
import { LogoutPagesController } from './logout-pages.controller.js';

/** The pages below `/auth`. */
@Module({ controllers: [LoginController, LogoutPagesController] })
export class AuthPagesModule {}
