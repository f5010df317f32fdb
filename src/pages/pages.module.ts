import { Module } from '@nestjs/common';
import { AdminController } from './admin.controller.js';
import { HomeController } from './home.controller.js';
import { ProfileController } from './profile.controller.js';

@Module({ controllers: [HomeController, ProfileController, AdminController] })
export class PagesModule {}
