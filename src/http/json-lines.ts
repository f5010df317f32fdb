import { pino, type DestinationStream, type Logger } from 'pino';
import type { LogLevel } from '../config/env.js';
import { redacted } from './redacted.js';
import { currentRequestId } from './request-id.js';

/** Members that are never logged, whatever they hold. */
const secretNames = [
  'authorization',
  'cookie',
  'cookies',
  'set-cookie',
  'password',
  'secret',
  'token',
  'code',
  'state',
  'nonce',
  'key',
  'access_token',
  'refresh_token',
  'id_token',
  'logout_token',
  'client_secret',
  'client_assertion',
  'code_verifier',
  'csrfToken',
  'accessToken',
  'refreshToken',
  'idToken',
  'clientSecret',
];

/** A logger whose lines are JSON, one each, without secrets and with the name of the request they are about. */
export function jsonLines(level: LogLevel, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => {
        const reqId = currentRequestId();
        return reqId === undefined ? {} : { reqId };
      },
      redact: {
        paths: secretNames.flatMap((name) => ['', '*', '*.*'].map((above) => `${above}["${name}"]`)),
        censor: '[redacted]',
      },
      hooks: { streamWrite: redacted },
    },
    destination as DestinationStream,
  );
}
