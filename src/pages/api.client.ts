import { describeError } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';
import {
  boundedFetch,
  ORGANIZATION_HEADER,
  requiredSignIn,
  sendWithRetry,
  type SignInRequirements,
} from '@mridang/nestjs-zitadel';

const MAX_ANSWER_BYTES = 10_000;

/** Answer of the API, or none. */
export type ApiAnswer =
  | { kind: 'answer'; status: number; text: string }
  /** the API requires a login of at most that age, or with these methods (RFC 9470, 8176) */
  | { kind: 'login'; required: SignInRequirements }
  | { kind: 'none' };

/** Calls the API for the signed-in user, from server to server. */
@Injectable()
export class ApiClient {
  private readonly logger = new Logger('API');

  constructor(@Inject(ENV) private readonly env: Env) {}

  /** Whether there is an API to call. */
  get isConfigured(): boolean {
    return this.env.api !== undefined;
  }

  /**
   * `GET /api/v1/app` with the user's access token. Does not throw; failures are logged.
   *
   * @param organizationId the active organization
   */
  async hello(accessToken: string, organizationId: string | undefined): Promise<ApiAnswer> {
    const { origin = '', timeoutSeconds = 0 } = this.env.api ?? {};
    try {
      const headers = {
        accept: 'application/json',
        authorization: `Bearer ${accessToken}`,
        ...(organizationId ? { [ORGANIZATION_HEADER]: organizationId } : {}),
      };
      const bounds = { signal: AbortSignal.timeout(timeoutSeconds * 1000), maxBytes: MAX_ANSWER_BYTES };
      const answer = await sendWithRetry(() => boundedFetch(`${origin}/api/v1/app`, { headers }, bounds));
      const required =
        answer.status === 401 ? requiredSignIn(answer.headers.get('www-authenticate')) : undefined;
      return required
        ? { kind: 'login', required }
        : { kind: 'answer', status: answer.status, text: await answer.text() };
    } catch (error) {
      this.logger.warn(`The API did not answer (API_URL)\n${describeError(error)}`);
      return { kind: 'none' };
    }
  }
}
