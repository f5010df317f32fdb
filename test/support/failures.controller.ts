import { Public } from '@mridang/nestjs-auth';
import { Controller, Get, HttpException, Param } from '@nestjs/common';

/** `/failures/STATUS` fails with that status, and with an unexpected error for 500. */
@Public()
@Controller('failures')
export class FailuresController {
  @Get(':status')
  fail(@Param('status') status: string): never {
    if (status === '500') throw new Error('The inside of the application');
    throw new HttpException('The inside of the application', Number(status));
  }
}
