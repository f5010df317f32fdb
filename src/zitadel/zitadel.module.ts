import { Module } from '@nestjs/common';
import { OidcClient } from './oidc.client.js';
import { TokenRefresher } from './token-refresher.js';

@Module({ providers: [OidcClient, TokenRefresher], exports: [OidcClient, TokenRefresher] })
export class ZitadelModule {}
