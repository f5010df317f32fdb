import type { Session } from '@mridang/nestjs-auth';

/** What a page calls the person who is signed in. */
export const nameOf = (session: Session | null | undefined): string | undefined =>
  session ? (session.user.name ?? session.user.email ?? session.user.id) : undefined;
