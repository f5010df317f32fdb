import {
  CsrfCookieMissing,
  CsrfTokenInvalid,
  SessionEnded,
  SessionRequired,
  type RefusalReason,
} from '@mridang/nestjs-auth';
import { describe, expect, it } from '@jest/globals';
import { FreshSignInImpossible } from '../src/fresh-sign-in/fresh-sign-in.errors.js';
import { explain, phrasesOf } from '../src/refusals/explanation.js';
import { failureTexts, sessionEndTexts, signInTexts } from '../src/refusals/failure-texts.js';

const refused = Object.entries(failureTexts).filter(([, { status = 0 }]) => [401, 403].includes(status));

/** What may be asked for the words of: a code, or the reason of a failed sign-in or an ended session. */
const failures = [
  ...Object.keys({ ...signInTexts, ...sessionEndTexts }).map((reason) => ({ code: '', reason })),
  ...refused.map(([code]) => ({ code, reason: '' })),
].map((found) => ({ name: found.code || found.reason, help: explain({}, { ...found, also: {} }).help }));

const phrases = (reason: RefusalReason, language: string) =>
  phrasesOf(explain(reason, { code: '', reason: undefined, also: undefined }), language);

describe.each(['de', 'fr'])('an explanation in the language %s', (language) => {
  it.each(failures)('of $name says what helps, with the names of the English text', ({ help }) => {
    const translated = phrasesOf({ needed: {}, held: {}, help }, language).help;
    expect(['', help]).not.toContain(translated);
    const names = (text: string) => (text.match(/\w+(_\w+)+|X-[\w-]+|npm run \w+/g) ?? []).sort();
    expect(names(translated)).toEqual(names(help));
  });
});

it.each<[string, RefusalReason, string[]]>([
  ['de', new SessionEnded('revoked'), ['eine Sitzung', 'Sitzung: beendet (revoked)']],
  ['fr', new SessionEnded('revoked'), ['une session', 'session\u00a0: terminée (revoked)']],
  ['it', new SessionEnded('revoked'), ['a session', 'session: ended (revoked)']],
  ['de', new SessionRequired('/'), ['eine Sitzung', 'Sitzung: keine']],
  [
    'fr',
    new SessionRequired('/', undefined, { isCookieUnreadable: true, otherCredentials: 'bearer token' }),
    [
      'un de ces moyens d’authentification\u00a0: session, jeton bearer',
      'session\u00a0: un cookie impossible à déchiffrer',
    ],
  ],
  ['de', new CsrfCookieMissing(), ['CSRF-Token: das Token dieses Browsers', 'CSRF-Token: kein Cookie']],
  [
    'fr',
    new CsrfTokenInvalid({ csrf: 'another token' }),
    ['jeton CSRF\u00a0: le jeton de ce navigateur', 'jeton CSRF\u00a0: un autre jeton'],
  ],
  [
    'fr',
    { held: { organizations: [], roles: [] } },
    ['organisations avec des rôles\u00a0: aucune', 'rôles qui comptent\u00a0: aucun'],
  ],
  ['de', { held: { organization: 'constructor' } }, ['aktive Organisation: constructor']],
  [
    'de',
    new FreshSignInImpossible({ maxAgeSeconds: 300, factors: [] }),
    [
      'höchstens so viele Sekunden seit der Anmeldung: 300',
      'Provider der Sitzung: ein anderer als Zitadel, oder kein ID-Token',
    ],
  ],
  ['de', { held: { roles: [], site: 'none' } }, ['Rollen, die gelten: keine', 'Sec-Fetch-Site: none']],
])('the facts of an explanation are in the language %s (%#)', (language, reason, expected) => {
  const { needed, held } = phrases(reason, language);
  expect([...needed, ...held]).toEqual(expected);
});

it('what the error of a program says is shown as it is', () => {
  const reason = { needed: { ledger: 'open' }, held: { ledger: 'closed' }, help: 'Ask Finance.' };
  expect(phrases(reason, 'de')).toEqual({
    needed: ['ledger: open'],
    held: ['ledger: closed'],
    help: 'Ask Finance.',
  });
});
