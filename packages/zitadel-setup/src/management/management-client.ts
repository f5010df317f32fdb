import { boundedFetch } from '@mridang/nestjs-zitadel';
import { z } from 'zod';
import { SetupError } from '../setup.error.js';

const TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 5_000_000;
const RETRY_AFTER_MS = 500;

/** A refusal of Zitadel's management API. */
export class ManagementRefused extends Error {
  constructor(
    readonly method: string,
    readonly status: number,
    /** word of Connect, such as `already_exists`; undefined where the answer has none */
    readonly code: string | undefined,
    readonly text: string,
  ) {
    super(`Zitadel answered ${status} to ${method}: ${text}`);
  }
}

const refusal = z.object({ code: z.string().optional().catch(undefined), message: z.string().default('') });

/** Gives the access token for the management API: a personal access token, or one by the JWT profile. */
export type TokenSource = (issuer: string) => Promise<string>;

/** Calls Zitadel's management API v2 by Connect (`POST /zitadel.….v2.…Service/Method`), and checks its answers. */
export class ManagementClient {
  private token: Promise<string> | undefined;

  constructor(
    readonly issuer: string,
    private readonly tokenSource: TokenSource,
  ) {}

  /**
   * @param method such as `project.v2.ProjectService/CreateProject`
   * @throws `ManagementRefused` for an error of Zitadel, `SetupError` without an answer or for one of another form
   */
  async call<Schema extends z.ZodType>(
    method: string,
    message: object,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    const init = { method: 'POST', body: JSON.stringify(message) };
    const answer = await this.send(`/zitadel.${method}`, init, /\/(List|Get)/.test(method));
    return this.checked(method, answer, schema);
  }

  /** @throws as `call` */
  async get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema>> {
    return this.checked(path, await this.send(path, {}, true), schema);
  }

  /** @throws as `call` */
  async put<Schema extends z.ZodType>(
    path: string,
    message: object,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    const init = { method: 'PUT', body: JSON.stringify(message) };
    return this.checked(path, await this.send(path, init, false), schema);
  }

  private async checked<Schema extends z.ZodType>(
    name: string,
    { status, text }: Answer,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    if (status >= 400) {
      const { code, message } = refusal.catch({ code: undefined, message: '' }).parse(jsonOf(text));
      // a server may repeat what it was sent
      const said = (message || text.trim().slice(0, 300)).replaceAll(await this.accessToken(), '[token]');
      throw new ManagementRefused(name, status, code, said);
    }
    const { data, error } = schema.safeParse(jsonOf(text));
    if (!error) return data;
    const [issue] = error.issues;
    throw new SetupError(
      `Zitadel answered ${name} in a form that this program does not know: ${issue?.path.join('.')} ${issue?.message}`,
    );
  }

  private async send(path: string, init: RequestInit, mayRetry: boolean): Promise<Answer> {
    const authorization = `Bearer ${await this.accessToken()}`;
    const headers = { authorization, 'content-type': 'application/json', accept: 'application/json' };
    const answer = await request(this.issuer + path, { ...init, headers }).catch((error: unknown) => {
      if (mayRetry) return undefined;
      throw error;
    });
    // right after its start Zitadel closes connections, and answers 503
    if (answer && (answer.status !== 503 || !mayRetry)) return answer;
    await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
    return request(this.issuer + path, { ...init, headers });
  }

  private accessToken(): Promise<string> {
    return (this.token ??= this.tokenSource(this.issuer));
  }
}

interface Answer {
  status: number;
  text: string;
}

/** @throws `SetupError` without an answer */
export async function request(url: string, init: RequestInit = {}): Promise<Answer> {
  const bounds = { signal: AbortSignal.timeout(TIMEOUT_MS), maxBytes: MAX_ANSWER_BYTES };
  try {
    const answer = await boundedFetch(url, init, bounds);
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    const reason = typeof code === 'string' ? code : message;
    throw new SetupError(`${new URL(url).origin} does not answer: ${reason}`, { cause: error });
  }
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
