// @ts-check
import { signInFailureStatus } from '@mridang/nestjs-auth';
import { failureTexts, sessionEndTexts, signInTexts, signOutTexts } from '@mridang/nestjs-zitadel';

/** @import { FailureText } from '@mridang/nestjs-zitadel' */

/** @typedef {Record<string, FailureText & { status?: number }>} Texts */

/** What `docs/errors.md` lists. */
export const failurePageTexts = {
  signIn: withStatus(signInTexts, (reason) => signInFailureStatus[reason]),
  sessionEnds: withStatus(sessionEndTexts, () => 401),
  signOut: withStatus(signOutTexts, () => 400),
  codes: failureTexts,
};

/**
 * The text of `docs/errors.md`.
 *
 * @param {{ signIn: Texts, sessionEnds: Texts, signOut: Texts, codes: Texts }} texts
 */
export function errorsPage(texts) {
  const signInTable = table('reason', texts.signIn);
  const sessionEndTable = table('reason', texts.sessionEnds);
  const signOutTable = table('reason', texts.signOut);
  const codeTable = table('code', texts.codes);
  return `# Errors

Every failure has a code that stays the same, a sentence for the person who reads it, and a status. Pages and JSON answers to
a 5xx other than 503, a 401, a 403 or a failed sign-in carry a \`reference\` of twelve characters; its line in the log has the same one
([which level it has](#why-was-i-refused)). Neither holds a token, a secret or a cookie.

This page is made from \`packages/nestjs-zitadel/src/refusals/failure-texts.ts\` by \`npm run docs\`; what a refusal says in development and
in the log comes from there, too.

## Sign-in

A sign-in that Zitadel or this application could not finish (502, 503) is answered where it failed, with that status and a page. Every other failed
sign-in ends on \`/auth/error?error=<name>&reason=<reason>&ref=<reference>\`; \`error\` is the name that Auth.js has for it, and \`callbackUrl\` the page that
was asked for. Anybody can open that
address, and can write an \`error\` or a \`code\` into that of the callback: so it is always 400, for \`access_denied\` 403, and an \`error\` at the callback is never more, whatever its reason is below.
Load balancers may count 5xx. A program gets JSON with the code \`AUTH_SIGN_IN_FAILED\` and the \`reason\`.

${signInTable}

What a person may see in place of this application's pages, and why:

| what                                                                         | why                                                                                                     | what helps                                           |
| ---------------------------------------------------------------------------- | ------------------------------------------------------------------------------------------------------- | ---------------------------------------------------- |
| A login page although \`prompt=none\` was asked for                            | Login V2 shows its page where nobody is signed in; only Login V1 answers \`interaction_required\`.        | Log in there. A check without a page needs Login V1. |
| JSON with status 500 at Zitadel after _Back_ or a bookmark of its login page | Each link to Zitadel's login works once; Login V2 answers bare JSON to one that was used or is unknown. | Open this application and log in from there.         |

## The end of a session

The login page says why somebody is no longer signed in: \`/auth/login?reason=<reason>\`.

${sessionEndTable}

The response of Zitadel to a refresh decides about the session:

| answer                                                                              | the session                                                                                                                                                                                        |
| ----------------------------------------------------------------------------------- | -------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------------- |
| 400 \`unauthorized_client\`, \`invalid_client\` (of any status but 5xx)                 | Zitadel refuses the application, not the user: the session goes on until its access token expires (\`no_refresh\`), with an attempt at most once a minute. One \`error\` line in the log has the cure. |
| … \`client_id does not correspond to the client_id in the refresh token\`             | Ends: the refresh token belongs to another application.                                                                                                                                            |
| any other 4xx but 429: \`invalid_request\`, \`invalid_grant\`, 404, an Action's refusal | Ends (\`refresh_rejected\`). After \`RefreshTokenInvalid\` or \`invalid_grant\`, a page request is redirected to Zitadel and back once: a user with a session there notices nothing.                     |
| 429, 5xx, none                                                                      | Stays. What needs a fresh access token answers 503 \`AUTH_PROVIDER_UNAVAILABLE\`; the next attempt is after two seconds, or after \`Retry-After\`.                                                     |

## Sign-out

A sign-out always ends the session here first. \`/auth/logout/success?ended=<what>\` says what has ended: \`user\` (or nothing) the session
here and at Zitadel, \`everywhere\` all sessions of the person here and the one at Zitadel, \`here\` the session here where Zitadel has no
address to end its own, \`before\` nothing, since there was no session here any more; then there is a link to Zitadel's page. What did not work beyond that is said on \`/auth/logout/error?reason=<reason>\`.

${signOutTable}

While Redis is gone, a sign-out ends the session on the instance that answers, and on the others as soon as Redis is back. "Sign out
everywhere" does that, too, but cannot promise it: it says \`others_not_ended\`.

Back-channel logout answers Zitadel, not a person: 200, or 400 \`invalid_request\` for a token that is not accepted, or 503
\`temporarily_unavailable\` when the keys or the shared state cannot be had, or when the token's key is unknown and the keys were
fetched within the last half minute; then Zitadel sends it again. A token counts as used only after what it ends has ended.

Events answer Zitadel, too: 200, 400 \`invalid_request\` with the reason for a signature that is not accepted, 413 above 64 kB. Zitadel sends none of them
again.

## Why was I refused?

Each 401 and 403 has a code of this page and a reference. Outside of production the answer says why, too: the page as a list in English, German or French, JSON as
\`explanation\`, of which \`needed\` is what the route needs, \`held\` what the request has of it, and \`help\` what would help:

\`\`\`json
{
  "statusCode": 403,
  "code": "AUTH_ROLES_REQUIRED",
  "message": "This needs a role you do not have",
  "reference": "8f14e45fceea",
  "explanation": {
    "needed": { "roles": ["admin"] },
    "held": { "roles": ["editor"], "grants": ["editor (Alpha)", "admin (Beta)"], "organization": "Alpha", "readAt": "2026-12-01T08:00:00.000Z" },
    "help": ${JSON.stringify(failureTexts['AUTH_ROLES_REQUIRED']?.helps.replaceAll('`', ''))}
  }
}
\`\`\`

| facts | of |
| --- | --- |
| \`session\`, \`credentials\` (which of them would do), \`provider\` (of the session) | requests without a session, or with one of another provider |
| \`roles\`, \`grants\` (role in organization), \`organization\` (active), \`organizationAsked\`, \`organizations\`, \`readAt\` (when Zitadel was asked) | missing roles and organizations |
| \`signInAgeSeconds\`, \`factors\` | sign-ins that are too old or too weak |
| \`homeOrganization\` | a sign-in for the members of an organization |
| \`csrf\`, \`origin\`, \`site\` (\`Sec-Fetch-Site\`) | forms |
| \`bearerToken\`, \`scopes\`, \`tokenKind\` (opaque, JWT, personal access token, ID token), \`audience\` (project and client), \`tokenAgeSeconds\`, \`tokenProblem\` | tokens, at the API and at routes of the web application that take them |

In production the answer has code and reference only, and the log has the rest: one line with the event \`refused\`, its fields
\`reason\` (the code), \`reference\`, \`method\`, \`route\`, \`needed\`, \`held\` and \`reqId\`. Both hold no token, no cookie and no id of a user, and long values are
cut. The line of an error without a code of this page has its name, message and causes, too. A failed sign-in has
its line \`login.failed\` with \`reason\`, \`reference\` and \`reqId\`, and with \`needed\` and \`held\` where its check compares something.

The level is \`warn\` for a 403 and \`info\` for a 401, since tokens and sessions end every day.
Callers cause these lines, so they are limited: ten for each code in ten seconds; further lines have the level \`debug\`, and
one warning has their number. Requests without a credential (\`AUTH_SESSION_REQUIRED\`, and \`API_TOKEN_REQUIRED\` without an \`Authorization\` header) are the normal case of a
public address: their lines always have the level \`debug\`. A limit for each code keeps a flood of bad tokens from hiding missing roles. A page that redirects to the login, or to a new sign-in,
is no refusal and has no line.

## Codes

The \`code\` of a JSON answer \`{statusCode, code, message, reference}\`. Those of the API begin with \`API_\`; it has
those about organizations as well. Routes that take bearer tokens answer a request with a token as the API does.

${codeTable}
`;
}

/**
 * @template {string} Name
 * @param {Record<Name, FailureText>} texts
 * @param {(name: Name) => number} statusOf
 * @returns {Texts}
 */
function withStatus(texts, statusOf) {
  const names = /** @type {Name[]} */ (Object.keys(texts));
  return Object.fromEntries(names.map((name) => [name, { ...texts[name], status: statusOf(name) }]));
}

/**
 * @param {string} name
 * @param {Texts} texts
 */
function table(name, texts) {
  const rows = Object.entries(texts).map(
    ([code, { status = '', means, helps }]) =>
      `| \`${code}\` | ${status} | ${cell(means)} | ${cell(helps)} |`,
  );
  return [`| ${name} | status | what it means | what helps |`, '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|');
