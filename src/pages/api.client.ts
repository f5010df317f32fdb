import { describeError } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';
import { boundedFetch } from '../zitadel/bounded-fetch.js';

/** The API gives up on Zitadel after a second. */
const TIMEOUT_MS = 3_000;

const MAX_ANSWER_BYTES = 10_000;

/** What the API answered, or that it did not. */
export type ApiAnswer = { kind: 'answer'; status: number; text: string } | { kind: 'none' };

/** Calls the API for the signed-in user, from server to server. */
@Injectable()
export class ApiClient {
  private readonly logger = new Logger('API');

  constructor(@Inject(ENV) private readonly env: Env) {}

  /** Whether there is an API to call. */
  get isConfigured(): boolean {
    return this.env.api !== undefined;
  }

  /** `GET /api/v1/app` with the user's access token. Does not throw: why there is no answer is in the log. */
  async hello(accessToken: string): Promise<ApiAnswer> {
    try {
      const answer = await boundedFetch(
        `${this.env.api?.origin}/api/v1/app`,
        { headers: { accept: 'application/json', authorization: `Bearer ${accessToken}` } },
        { timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES },
      );
      return { kind: 'answer', status: answer.status, text: await answer.text() };
    } catch (error) {
      this.logger.warn(`The API was not reached\n${describeError(error)}`);
      return { kind: 'none' };
    }
  }
}
