import { describeError } from '@mridang/nestjs-auth';
import { callApi, type ApiAnswer } from '@mridang/nestjs-zitadel';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';

/** Calls the API for the signed-in user, from server to server. */
@Injectable()
export class ApiClient {
  private readonly logger = new Logger('API');

  constructor(@Inject(ENV) private readonly env: Env) {}

  /** Whether there is an API to call. */
  get isConfigured(): boolean {
    return this.env.api !== undefined;
  }

  /** `GET /api/v1/app` with the user's access token, in the active organization. Does not throw; failures are logged. */
  async hello(
    accessToken: string,
    organizationId: string | undefined,
  ): Promise<ApiAnswer | { kind: 'none' }> {
    const { origin = '', timeoutSeconds = 0 } = this.env.api ?? {};
    try {
      return await callApi(`${origin}/api/v1/app`, { accessToken, organizationId, timeoutSeconds });
    } catch (error) {
      this.logger.warn(`The API did not answer (API_URL)\n${describeError(error)}`);
      return { kind: 'none' };
    }
  }
}
