import { z } from 'zod';
import { timestamp } from '../directory/changes.js';
import type { SandboxUser } from '../directory/users.js';
import { newKey, type ServiceUserKeyFile } from '../keys/key-file.js';
import { idFor, newId } from '../storage/ids.js';
import { issuePersonalAccessToken } from '../tokens/service-user-tokens.js';
import { futureDate } from './application-keys.js';
import { newSecret } from './applications.js';
import { ManagementError } from './management.error.js';
import { method, text, type Caller, type Method } from './method.js';
import { notFound, requireOver } from './users.js';

const INVITE_CODE_LENGTH = 6;

const dated = (message: string) =>
  z.object({
    userId: text(`${message}Request.UserId`),
    expirationDate: z.string(`invalid ${message}Request.ExpirationDate: value is required`),
  });

/** Credentials of service users, for whose own nobody needs a right, and the codes with which people set a password. */
export const credentialMethods: Record<string, Method> = {
  AddKey: method(dated('AddKey'), async ({ userId, expirationDate }, caller) => {
    const user = serviceUser(userId, caller, notAServiceUser('User could not be found', 'COMMAND-bnipwm1'));
    const expires = futureDate(expirationDate);
    const { keyId, key } = await newKey();
    const file: ServiceUserKeyFile = { type: 'serviceaccount', keyId, key, expirationDate, userId };
    user.addedKeys = [...(user.addedKeys ?? []), { file, expirationDate: expires }];
    const keyContent = Buffer.from(JSON.stringify(file)).toString('base64');
    return { creationDate: timestamp(), keyId, keyContent };
  }),

  CreateInviteCode: method(
    z.object({
      userId: text('CreateInviteCodeRequest.UserId'),
      returnCode: z.object({}).optional(),
      sendCode: z.object({}).optional(),
    }),
    ({ userId, returnCode }, { instance, user: caller, rights }) => {
      const user = instance.directory.byId(userId);
      requireOver(user, caller, rights);
      if (user?.kind !== 'human') throw notFound('COMMAND-Wgvn4');
      if (!user.isUninitialized)
        throw new ManagementError('failed_precondition', 'User is already initialized', 'COMMAND-EF34g');
      user.inviteCode = idFor(`invite code of ${userId}`).slice(-INVITE_CODE_LENGTH);
      const { changeDate } = instance.changes.dates(user);
      const details = {
        sequence: instance.changes.sequence(user),
        changeDate,
        resourceOwner: user.home.id,
      };
      return { details, ...(returnCode && { inviteCode: user.inviteCode }) };
    },
  ),

  AddSecret: method(z.object({ userId: text('AddSecretRequest.UserId') }), ({ userId }, caller) => {
    const user = serviceUser(userId, caller, notFound('COMMAND-bnipwm1'));
    user.clientSecret = newSecret();
    return { creationDate: timestamp(), clientSecret: user.clientSecret };
  }),

  AddPersonalAccessToken: method(
    dated('AddPersonalAccessToken'),
    async ({ userId, expirationDate }, caller) => {
      const user = serviceUser(
        userId,
        caller,
        notAServiceUser('Not allowed for this user type', 'COMMAND-Df2f1'),
      );
      const expires = futureDate(expirationDate);
      const tokenId = newId();
      const token = await issuePersonalAccessToken(caller.instance, user, {
        id: tokenId,
        expiresAt: Math.floor(expires.getTime() / 1000),
      });
      return { creationDate: timestamp(), tokenId, token };
    },
  ),

  RemovePersonalAccessToken: method(
    z.object({
      userId: text('RemovePersonalAccessTokenRequest.UserId'),
      tokenId: text('RemovePersonalAccessTokenRequest.TokenId'),
    }),
    async ({ userId, tokenId }, caller) => {
      serviceUser(userId, caller, notFound('COMMAND-bnipwm1'));
      const token = await caller.instance.provider.AccessToken.find(tokenId);
      if (token?.accountId === userId) await token.destroy();
      return { deletionDate: timestamp() };
    },
  ),
};

function notAServiceUser(sentence: string, id: string): ManagementError {
  return new ManagementError('failed_precondition', sentence, id);
}

/** @throws `otherwise` when there is no service user of that id */
function serviceUser(userId: string, { instance, user, rights }: Caller, otherwise: Error): SandboxUser {
  const found = instance.directory.byId(userId);
  requireOver(found, user, rights);
  if (found?.kind !== 'machine') throw otherwise;
  return found;
}
