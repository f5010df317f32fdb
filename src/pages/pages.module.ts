import { Module } from '@nestjs/common';
import { AdminController } from './admin.controller.js';
import { ApiClient } from './api.client.js';
import { DangerController } from './danger.controller.js';
import { HomeController } from './home.controller.js';
import { MeModule } from './me.controller.js';
import { ProfileController } from './profile.controller.js';

@Module({
  imports: [MeModule],
  controllers: [HomeController, ProfileController, AdminController, DangerController],
  providers: [ApiClient],
})
export class PagesModule {}
