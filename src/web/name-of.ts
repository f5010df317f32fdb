import type { Session } from '@mridang/nestjs-auth';

/** Display name of the signed-in user. */
export const nameOf = (session: Session | null | undefined): string | undefined =>
  session ? (session.user.name ?? session.user.email ?? session.user.id) : undefined;
