import { describeError } from '@mridang/nestjs-auth';
import { Injectable, Logger } from '@nestjs/common';
import { OidcClient } from './oidc.client.js';
import { IdpUnavailable } from './oidc.errors.js';

/** Revokes refresh tokens that nobody will use any more, while nobody waits for it. */
@Injectable()
export class RefreshTokenRevocation {
  private readonly logger = new Logger('Revocation');

  constructor(private readonly oidc: OidcClient) {}

  /** Once more where Zitadel did not answer: a kept connection may just have been closed. */
  begin(refreshToken: string) {
    this.oidc
      .revoke(refreshToken)
      .catch((error: unknown) => {
        if (error instanceof IdpUnavailable) return this.oidc.revoke(refreshToken);
        throw error;
      })
      .catch((error: unknown) =>
        this.logger.warn(`The refresh token was not revoked\n${describeError(error)}`),
      );
  }
}
