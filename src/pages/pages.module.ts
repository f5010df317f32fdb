import { Module } from '@nestjs/common';
import { AdminController } from './admin.controller.js';
import { ApiClient } from './api.client.js';
import { HomeController } from './home.controller.js';
import { ProfileController } from './profile.controller.js';

@Module({
  controllers: [HomeController, ProfileController, AdminController],
  providers: [ApiClient],
})
export class PagesModule {}
