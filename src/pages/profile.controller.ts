import { AuthSession, type Session } from '@mridang/nestjs-auth';
import { Controller, Get } from '@nestjs/common';
import { Page } from '../http/page.decorator.js';
import { profileOf } from './profile.js';

@Controller('profile')
export class ProfileController {
  @Get()
  @Page('profile')
  profile(@AuthSession() session: Session) {
    return { profile: profileOf(session) };
  }
}
