import type { SandboxUser } from '../directory/users.js';
import { answerHtml, redirect } from '../http/answers.js';
import type { Call } from '../http/call.js';
import type { Endpoint, Instance } from '../instance/instance.js';
import { endSessionAndNotify } from '../sessions/back-channel-logout.js';
import { messagePage, page } from './pages/layout.js';
import { accountButton, loginForm } from './pages/login.page.js';
import { logoutPath } from './paths.js';

interface SignedIn {
  sid: string;
  user: SandboxUser;
}

/** The logout page of Login V2; `end_session` without `id_token_hint` redirects to it. */
export const logout: Endpoint = async (call, instance) => {
  const { ctx, params } = call;
  const logoutToken = params['logout_token'] ?? '';
  const target = await verifiedTarget(logoutToken, instance);
  if (target === undefined) {
    ctx.status = 400;
    answerHtml(
      ctx,
      messagePage('Logout', 'This link is no longer valid. Sign out in the application again.'),
    );
    return;
  }
  const sessions = await signedInUsers(call, instance);
  const chosen = sessions.find(({ sid, user }) =>
    ctx.method === 'POST' ? sid === params['session'] : user.loginName === params['logout_hint'],
  );
  if (!chosen) {
    answerHtml(ctx, logoutPage(sessions, logoutToken));
    return;
  }
  await endSessionAndNotify(chosen.sid, instance);
  // the login UI may have another origin than the issuer
  redirect(ctx, new URL(target, instance.issuer).href);
};

/** The page after sign-out without a `post_logout_redirect_uri`. */
export const signedOut: Endpoint = ({ ctx }) => {
  answerHtml(ctx, messagePage('Signed out', 'You are signed out. You can close this page.'));
};

async function verifiedTarget(logoutToken: string, instance: Instance): Promise<string | undefined> {
  const claims = await instance.keys.verifiedClaims(logoutToken);
  const target = claims?.['post_logout_redirect_uri'];
  return typeof target === 'string' ? target : undefined;
}

async function signedInUsers({ ctx }: Call, instance: Instance): Promise<SignedIn[]> {
  const sessions = await instance.sessions.list(ctx, 2);
  return sessions.flatMap(({ jti, accountId }) => {
    const user = instance.directory.byId(accountId);
    return user ? [{ sid: jti, user }] : [];
  });
}

/** The page to choose the session to end. Without sessions it has no link, as in Zitadel. */
function logoutPage(sessions: { sid: string; user: SandboxUser }[], logoutToken: string): string {
  if (sessions.length === 0) return page('Logout', '<p>No accounts found</p>');
  const buttons = sessions.map(({ sid, user }) =>
    accountButton('session', sid, user.displayName, user.loginName),
  );
  return page(
    'Logout',
    `<p>Choose the account to sign out of.</p>
${loginForm(logoutPath, { logout_token: logoutToken }, `<div class="people">${buttons.join('\n')}</div>`)}`,
  );
}
