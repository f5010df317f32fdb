import { z } from 'zod';
import type { Lifetimes } from '../instance/instance.js';
import { ManagementError } from './management.error.js';
import { method, type Method } from './method.js';

const fields = {
  accessTokenLifetime: 'accessTokenSeconds',
  idTokenLifetime: 'idTokenSeconds',
  refreshTokenIdleExpiration: 'refreshTokenIdleSeconds',
  refreshTokenExpiration: 'refreshTokenSeconds',
} as const;

const isZero = /^0*s?$/;
const seconds = z.string().default('');
const updateRequest = z.object({
  accessTokenLifetime: seconds,
  idTokenLifetime: seconds,
  refreshTokenIdleExpiration: seconds,
  refreshTokenExpiration: seconds,
});

/** The settings for the lifetimes of tokens, which Zitadel has in its Admin API v1 only. */
export const tokenLifetimeService: Record<string, Method> = {
  GetOIDCSettings: method(z.object({}), (_request, { instance, rights, user }) => {
    rights.require('instance.settings', {});
    const { creationDate, changeDate } = instance.changes.dates(user);
    const details = { sequence: '1', creationDate, changeDate, resourceOwner: user.home.id };
    return { settings: { details, ...lifetimesOf(instance.lifetimes) } };
  }),

  UpdateOIDCSettings: method(updateRequest, (request, { instance, rights, user }) => {
    rights.require('instance.settings', {});
    if (Object.values(request).some((value) => isZero.test(value)))
      throw new ManagementError('invalid_argument', 'Errors.Invalid.Argument', 'INST-10sxks');
    const before = lifetimesOf(instance.lifetimes);
    for (const [field, name] of entries)
      instance.lifetimes[name] = Number.parseInt(request[field as keyof typeof fields]);
    if (JSON.stringify(before) === JSON.stringify(lifetimesOf(instance.lifetimes)))
      throw new ManagementError('failed_precondition', 'No changes', 'COMMAND-0pk2nu');
    const { changeDate } = instance.changes.dates(user);
    return { details: { sequence: '2', changeDate, resourceOwner: user.home.id } };
  }),
};

const entries = Object.entries(fields);

const lifetimesOf = (lifetimes: Lifetimes): object =>
  Object.fromEntries(entries.map(([field, name]) => [field, `${lifetimes[name]}s`]));
