import type { Call, Endpoint } from '../call.js';
import { answerHtml } from '../html-answer.js';
import { messagePage } from '../pages/layout.js';
import { logoutPage } from '../pages/logout.page.js';
import type { Realm } from '../realm.js';
import { redirect } from '../redirect.js';
import type { SandboxUser } from '../users.js';
import { endAndTell } from './end-session.endpoint.js';

interface SignedIn {
  sid: string;
  user: SandboxUser;
}

/** The page of Login V2 to sign out of one account; reached from end_session without a hint. */
export const logout: Endpoint = async (call, realm) => {
  const { ctx, params } = call;
  const logoutToken = params['logout_token'] ?? '';
  const target = await targetFrom(logoutToken, realm);
  if (target === undefined) {
    ctx.status = 400;
    answerHtml(
      ctx,
      messagePage('Logout', 'This link is not valid any more. Start again in the application.'),
    );
    return;
  }
  const sessions = await signedInHere(call, realm);
  const chosen = sessions.find(({ sid, user }) =>
    ctx.method === 'POST' ? sid === params['session'] : user.loginName === params['logout_hint'],
  );
  if (!chosen) {
    answerHtml(ctx, logoutPage(sessions, logoutToken));
    return;
  }
  await endAndTell(chosen.sid, realm);
  // the page may be on an origin of its own
  redirect(ctx, new URL(target, realm.issuer).href);
};

/** Where people end up whom no application awaits. */
export const signedOut: Endpoint = ({ ctx }) => {
  answerHtml(ctx, messagePage('Signed out', 'You are signed out. You can close this page.'));
};

async function targetFrom(logoutToken: string, realm: Realm): Promise<string | undefined> {
  const claims = await realm.keys.claimsOf(logoutToken);
  const target = claims?.['post_logout_redirect_uri'];
  return typeof target === 'string' ? target : undefined;
}

async function signedInHere({ ctx }: Call, realm: Realm): Promise<SignedIn[]> {
  const sessions = await realm.sessions.of(ctx, 2);
  return sessions.flatMap(({ jti, accountId }) => {
    const user = realm.directory.byId(accountId);
    return user ? [{ sid: jti, user }] : [];
  });
}
