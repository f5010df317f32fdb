import type { Session } from '@mridang/nestjs-auth';

/**
 * What the profile page shows of a session.
 *
 * @param issuer only pictures from there are shown: another site would learn who opens this page, and when
 */
export function profileOf({ user }: Session, issuer: string) {
  const name = user.name ?? user.email ?? user.id;
  return {
    id: user.id,
    name,
    initials: initialsOf(name),
    picture: pictureFrom(user.image, issuer),
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

function pictureFrom(address: string | null | undefined, issuer: string): string | undefined {
  if (!address || !URL.canParse(address)) return undefined;
  const { origin, href } = new URL(address);
  return origin === issuer ? href : undefined;
}

/** The first letters of the first and the last word. */
function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : words;
  return chosen.map((word) => firstLetter(word ?? '').toUpperCase()).join('');
}

const letters = new Intl.Segmenter();

/** The first grapheme. */
const firstLetter = (word: string) => letters.segment(word).containing(0)?.segment ?? '';
