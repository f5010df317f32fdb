import type { Session } from '@mridang/nestjs-auth';

/** What the profile page shows of a session. */
export function profileOf({ user }: Session) {
  const name = user.name ?? user.email ?? user.id;
  return {
    id: user.id,
    name,
    initials: initialsOf(name),
    picture: user.image ?? undefined,
    username: user.username,
    email: user.email ?? undefined,
    emailVerified: user.emailVerified,
    organization: user.organization,
    roles: user.roleGrants.map(({ role, organizations }) => ({
      role,
      grantedBy: organizations.map(({ domain, id }) => domain ?? id).join(', '),
    })),
    metadata: Object.entries(user.metadata).map(([key, value]) => ({ key, value })),
  };
}

/** The first letters of the first and the last word. */
function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : words;
  return chosen.map((word) => Array.from(word ?? '')[0]?.toUpperCase()).join('');
}
