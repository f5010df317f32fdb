import { escaped, LINK_USED } from './failures/failure-page.js';

/** A form of Auth.js that has no address to return to: for a password, and for a link by e-mail. */
const FORM_WITHOUT_TARGET =
  /<input type="hidden" name="csrfToken"[^>]*>(?!<input type="hidden" name="callbackUrl")/g;

/** What Auth.js says of every error it has no sentence for. */
const UNKNOWN_ERROR = 'Unable to sign in.';

/**
 * Completes the sign-in page of Auth.js. Its forms for a password and a link name no page to return to: Auth.js has that in a cookie, one
 * for all tabs. It has no sentence for a link that was used before.
 *
 * @param query of the page; its `callbackUrl` is a page of the application
 */
export async function completedSignInPage(answer: Response, query: URLSearchParams): Promise<Response> {
  const returnTo = query.get('callbackUrl');
  const field =
    returnTo === null ? '' : `<input type="hidden" name="callbackUrl" value="${escaped(returnTo)}"/>`;
  const html = await answer.text();
  const completed = html.replaceAll(FORM_WITHOUT_TARGET, (csrfToken) => csrfToken + field);
  const { status, headers } = answer;
  return new Response(
    query.get('error') === 'Verification' ? completed.replace(UNKNOWN_ERROR, LINK_USED) : completed,
    { status, headers },
  );
}
