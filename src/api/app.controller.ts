import { RequireRoles } from '@mridang/nestjs-auth';
import { Controller, Get, Header } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiForbiddenResponse,
  ApiOAuth2,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
  ApiUnauthorizedResponse,
} from '@nestjs/swagger';
import { Caller } from '@mridang/nestjs-zitadel';

/** The routes of the API. Replace them with yours. */
@Controller('api/v1')
@ApiTags('app')
@ApiBearerAuth()
@ApiOAuth2([], 'zitadel')
@ApiUnauthorizedResponse({ description: 'No token, or none that is valid here' })
@ApiServiceUnavailableResponse({ description: 'Zitadel cannot be asked about the token' })
export class AppController {
  @Get('app')
  @ApiOperation({ summary: 'Says hello to whoever has a valid token' })
  @Header('Content-Type', 'application/json')
  @ApiOkResponse({ schema: { type: 'string', example: 'Hello World!' } })
  hello() {
    return JSON.stringify('Hello World!');
  }

  @Get('caller')
  @ApiOperation({ summary: 'Tells who calls' })
  @ApiOkResponse({ description: 'The caller, as the handler sees it' })
  caller(@Caller() caller: Caller) {
    return caller;
  }

  @Get('admin')
  @RequireRoles('admin')
  @ApiOperation({ summary: 'Says hello to callers with the role admin' })
  @ApiOkResponse({ schema: { type: 'object', properties: { message: { type: 'string' } } } })
  @ApiForbiddenResponse({ description: 'The caller does not have the role' })
  admin(@Caller() { username, sub }: Caller) {
    return { message: `Hello ${username ?? sub}!` };
  }
}
