/** Words of Connect (https://connectrpc.com/docs/protocol#error-codes) with the numbers that the REST paths use. */
const codes = {
  invalid_argument: { status: 400, number: 3 },
  not_found: { status: 404, number: 5 },
  already_exists: { status: 409, number: 6 },
  permission_denied: { status: 403, number: 7 },
  failed_precondition: { status: 400, number: 9 },
  unauthenticated: { status: 401, number: 16 },
} as const;

/** An error of the management API. `id` is Zitadel's id of the place that raised it; validation errors have none. */
export class ManagementError extends Error {
  constructor(
    readonly code: keyof typeof codes,
    readonly text: string,
    readonly id?: string,
  ) {
    super(id === undefined ? text : `${text} (${id})`);
  }

  get status(): number {
    return codes[this.code].status;
  }

  get connectBody(): object {
    const { code, message, id, text } = this;
    if (id === undefined) return { code, message };
    const debug = { id, message: text };
    return {
      code,
      message,
      details: [{ type: 'zitadel.v1.ErrorDetail', value: protobufOf(id, text), debug }],
    };
  }

  get restBody(): object {
    const { message, id, text } = this;
    const code = codes[this.code].number;
    if (id === undefined) return { code, message };
    const details = [{ '@type': 'type.googleapis.com/zitadel.v1.ErrorDetail', id, message: text }];
    return { code, message, details };
  }
}

/** The message ErrorDetail with its two text fields, in base64 without padding. */
function protobufOf(...fields: string[]): string {
  const parts = fields.map((text, index) => {
    const bytes = Buffer.from(text);
    return Buffer.concat([Buffer.from([((index + 1) << 3) | 2, bytes.length]), bytes]);
  });
  return Buffer.concat(parts).toString('base64').replace(/=+$/, '');
}
