import { z } from 'zod';
import { instanceId } from '../../actions/events.js';
import { timestamp } from '../../directory/changes.js';
import type { Instance } from '../../instance/instance.js';
import { findAuthRequest, type AuthRequest } from '../../login/auth-request.js';
import { callbackUrl, type OpenLogin } from '../../login/finish-login.js';
import { isMember } from '../../login/login-context.js';
import type { Session } from '../../storage/provider.js';
import { ManagementError } from '../management.error.js';
import { method, text, word, type Method } from '../method.js';
import { sessionByToken } from './session-service.js';

/** An authorization request has two events once it is answered. */
const answeredSequence = '2';

const reasons = [
  ...(['INVALID_REQUEST', 'UNAUTHORIZED_CLIENT', 'ACCESS_DENIED', 'INVALID_SCOPE', 'SERVER_ERROR'] as const),
  ...(['INTERACTION_REQUIRED', 'LOGIN_REQUIRED', 'ACCOUNT_SELECTION_REQUIRED', 'CONSENT_REQUIRED'] as const),
].map((reason) => `ERROR_REASON_${reason}`) as [string, ...string[]];

const handedInSession = z.object({ sessionId: z.string(), sessionToken: z.string() });

const named = (message: string) => z.object({ authRequestId: text(`${message}Request.AuthRequestId`) });

/** How a login UI reads an authorization request of Login V2 or of a device, and answers it. */
export const authRequestService: Record<string, Method> = {
  GetAuthRequest: method(named('GetAuthRequest'), async ({ authRequestId }, { instance, rights }) => {
    rights.require('session', {});
    const { request } = await openLogin(authRequestId, instance, 'QUERY-Thee9');
    return { authRequest: { id: authRequestId, creationDate: request.createdAt, ...view(request) } };
  }),

  CreateCallback: method(
    named('CreateCallback').extend({
      session: handedInSession.optional(),
      error: z.object({ error: word(reasons), errorDescription: z.string().optional() }).optional(),
    }),
    async ({ authRequestId, session: handedIn, error }, { instance, rights }) => {
      rights.require('session', {});
      const login = await openLogin(authRequestId, instance, 'COMMAND-jae5P');
      const outcome = handedIn
        ? memberSession(await sessionByToken(handedIn, instance), login)
        : errorParameters(error);
      return {
        details: { sequence: answeredSequence, changeDate: timestamp(), resourceOwner: instanceId },
        callbackUrl: await callbackUrl(login, outcome),
      };
    },
  ),

  GetDeviceAuthorizationRequest: method(
    z.object({ userCode: z.string() }),
    async ({ userCode }, { instance, rights }) => {
      rights.require('session', {});
      const { devices, encryption, applications } = instance;
      const device = devices.findPending(userCode);
      if (!device) throw noDevice('QUERY-Sah9a');
      const { deviceCode, clientId, scopes } = device;
      const application = applications.byClientId(clientId);
      return {
        deviceAuthorizationRequest: {
          id: await encryption.encrypt(deviceCode),
          clientId,
          scope: scopes,
          appName: application?.name,
          projectName: application?.project.name,
        },
      };
    },
  ),

  AuthorizeOrDenyDeviceAuthorization: method(
    z.object({
      deviceAuthorizationId: z.string(),
      session: handedInSession.optional(),
    }),
    async ({ deviceAuthorizationId: id, session: handedIn }, { instance, rights }) => {
      rights.require('session', {});
      const device = instance.devices.find((await instance.encryption.decrypt(id)) ?? '');
      if (!device) throw noDevice('COMMAND-Hief9');
      if (device.state !== 'pending')
        throw new ManagementError('failed_precondition', 'Errors.DeviceAuth.AlreadyHandled', 'COMMAND-GEJL3');
      device.state = handedIn ? { allowedIn: await sessionByToken(handedIn, instance) } : 'denied';
      return {};
    },
  ),
};

/** @throws ManagementError with this id for an unknown or answered request, or one of Login V1 */
async function openLogin(id: string, instance: Instance, errorId: string): Promise<OpenLogin> {
  const request = await findAuthRequest(instance, id);
  if (request?.loginVersion === 2) return { instance, id, request };
  throw new ManagementError('not_found', 'Auth Request does not exist', errorId);
}

/** @throws ManagementError when the request is limited to another organization than the user's */
function memberSession(session: Session, { instance, request }: OpenLogin): Session {
  const user = instance.directory.byId(session.accountId);
  if (!user || isMember(user, request)) return session;
  throw new ManagementError(
    'failed_precondition',
    'User is no member of the required organization',
    'COMMAND-59ljd',
  );
}

function noDevice(errorId: string): ManagementError {
  return new ManagementError('not_found', 'Errors.DeviceAuth.NotFound', errorId);
}

function errorParameters(error: { error?: string | undefined; errorDescription?: string | undefined } = {}) {
  const word = (error.error ?? 'ERROR_REASON_SERVER_ERROR').replace('ERROR_REASON_', '').toLowerCase();
  return { error: word, ...(error.errorDescription && { error_description: error.errorDescription }) };
}

function view(request: AuthRequest) {
  const { clientId, scopes, redirectUri, prompts, uiLocales, loginHint, hintedUserId } = request;
  // the login UI is asked to sign in again by `prompt=login`, and is told so as an age, too
  const maxAge = request.maxAgeSeconds ?? (prompts.includes('login') ? 0 : undefined);
  return {
    clientId,
    scope: scopes,
    redirectUri,
    ...(prompts.length > 0 && { prompt: prompts.map((prompt) => `PROMPT_${prompt.toUpperCase()}`) }),
    ...(uiLocales !== undefined && { uiLocales: uiLocales.split(' ') }),
    ...(loginHint !== undefined && { loginHint }),
    ...(maxAge !== undefined && { maxAge: `${maxAge}s` }),
    ...(hintedUserId !== undefined && { hintUserId: hintedUserId }),
  };
}
