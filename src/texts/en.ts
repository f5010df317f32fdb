/** English, and the list of all texts. `{name}` stands for a value. */
export const en = {
  'app.name': 'NestJS with Zitadel',
  'app.description': 'Sign-in for NestJS with Zitadel.',
  'app.skip': 'Skip to the content',
  'app.footer':
    'Signs in with Zitadel through OpenID Connect. No script and no page gets to see your tokens.',

  'nav.label': 'Main',
  'nav.profile': 'Profile',
  'nav.admin': 'Admin',
  'nav.login': 'Log in',
  'nav.logout': 'Log out',
  'nav.start': 'To the start page',

  'home.title': 'Welcome',
  'home.heading': 'Sign-in that is done, and done well.',
  'home.lead':
    'A NestJS application with pages rendered on the server. People log in with Zitadel; their session lives in an encrypted cookie no script can read.',
  'home.profile': 'Open your profile',
  'home.signedInAs': 'Signed in as {name}',
  'home.register': 'Create an account',
  'home.public': 'This page is public. The profile is not.',
  'home.flow.title': 'Authorization Code with PKCE',
  'home.flow.text': 'The flow the OAuth security recommendations ask for, with state and nonce.',
  'home.roles.title': 'Roles and organizations',
  'home.roles.text': 'Grants in Zitadel decide who may open which page.',
  'home.logout.title': 'Logged out means logged out',
  'home.logout.text': 'Here and at Zitadel, and the answer is checked.',

  'login.title': 'Log in',
  'login.registerTitle': 'Create an account',
  'login.elsewhere': 'You continue at Zitadel and come back here.',
  'login.deepLink': 'That page needs a sign-in. You will come back to it.',
  'login.lost':
    'That page has an address this login cannot come back to: it is too long, or no longer known. The login ends on {page}.',
  'login.button': 'Continue with Zitadel',
  'login.registerButton': 'Create an account',
  'login.stay': 'Go on as you are',
  'login.back': 'Back to the start page',

  'ended.refresh_rejected':
    'You were signed out because Zitadel no longer renews your session: it was unused there for too long, or was ended. Please log in again.',
  'ended.revoked':
    'Your session here was ended, in another place or by Zitadel. This browser may still be signed in at Zitadel, so you will be asked there who you are.',
  'ended.unusable': 'You were signed out because your session could not be renewed. Please log in again.',
  'ended.no_refresh':
    'You were signed out because your access token has expired and this application cannot renew it. Please log in again.',

  'profile.title': 'Your profile',
  'profile.emailVerified': 'verified',
  'profile.emailUnverified': 'not verified',
  'profile.organization': 'Organization',
  'profile.noOrganization': 'Zitadel names none.',
  'profile.roles': 'Roles',
  'profile.grantedBy': 'granted by {organizations}',
  'profile.noRoles': 'You have no roles in this project.',
  'profile.account': 'Account',
  'profile.loginName': 'Login name',
  'profile.userId': 'User ID',
  'profile.metadata': 'Metadata',
  'profile.session': 'Session',
  'profile.signedInAt': 'Sign-in',
  'profile.signedInHow': 'Sign-in method',
  'profile.renewedAt': 'Access token renewed',
  'profile.idleEnd': 'Ends, if unused, at',
  'profile.absoluteEnd': 'Ends at the latest at',
  'profile.everywhere': 'Sign out everywhere',
  'profile.everywhereText':
    'Ends your sessions of this application in every browser, this one included. Other browsers stay signed in at Zitadel; here they have to log in again.',
  'profile.api': 'API',
  'profile.apiText': 'This application calls its API for you, with your access token, from server to server.',
  'profile.apiButton': 'Call the API',
  'profile.claims': 'What Zitadel said when you signed in',
  'profile.claimsText': 'The claims of your ID token, in Zitadel’s words and in ours.',
  'profile.claim': 'Claim',
  'profile.value': 'Value',
  'profile.live': 'What Zitadel says right now',
  'profile.liveText': 'Straight from Zitadel’s userinfo endpoint, at this moment.',
  'profile.liveButton': 'Ask Zitadel now',
  'profile.liveWaiting': 'Asking Zitadel …',
  'profile.liveDone': 'This is what Zitadel says.',
  'profile.liveFailed': 'Zitadel did not answer. The rest of this page is not affected.',
  'profile.json': 'As JSON',

  'how.pwd': 'password',
  'how.otp': 'one-time code',
  'how.user': 'passkey or security key',
  'how.mfa': 'several factors',
  'how.unknown': 'another identity provider',

  'claim.iss': 'Who says all this: the address of Zitadel.',
  'claim.sub': 'Your user ID: the one thing about you that never changes.',
  'claim.aud': 'Whom the token is meant for: the applications of the project, and the project.',
  'claim.azp': 'The application that asked for the token.',
  'claim.client_id': 'The same application, once more.',
  'claim.exp': 'When the token expires.',
  'claim.iat': 'When the token was issued.',
  'claim.nbf': 'From when on the token counts.',
  'claim.jti': 'The name of this very token.',
  'claim.act': 'Who acts in your name.',
  'claim.acr': 'How strong the proof of who you are was.',
  'claim.groups': 'The groups you are in.',
  'claim.auth_time': 'When you last proved who you are.',
  'claim.updated_at': 'When your profile was last changed.',
  'claim.nonce': 'A random value that ties the token to this sign-in.',
  'claim.at_hash': 'Ties the token to the access token it came with.',
  'claim.sid': 'The session at Zitadel.',
  'claim.amr': 'How you proved who you are.',
  'claim.name': 'Your full name.',
  'claim.given_name': 'Your first name.',
  'claim.family_name': 'Your last name.',
  'claim.nickname': 'What friends call you.',
  'claim.gender': 'Your gender, as far as you told Zitadel.',
  'claim.locale': 'The language you chose at Zitadel.',
  'claim.picture': 'Where your picture is.',
  'claim.preferred_username': 'Your login name.',
  'claim.email': 'Your e-mail address.',
  'claim.email_verified': 'Whether Zitadel has checked that the address is yours.',
  'claim.phone_number': 'Your telephone number.',
  'claim.phone_number_verified': 'Whether Zitadel has checked that the number is yours.',
  'claim.roles': 'Your roles in the project of this application, with the organizations that grant them.',
  'claim.projectRoles': 'Your roles in the project {project}, with the organizations that grant them.',
  'claim.organizationId': 'The organization you belong to.',
  'claim.organizationName': 'The name of your organization.',
  'claim.organizationDomain': 'The primary domain of your organization.',
  'claim.organizationAsked': 'The organization this sign-in was for.',
  'claim.metadata': 'What your organization noted about you. Zitadel sends it encoded; here it is readable.',
  'claim.custom': 'A claim this Zitadel adds.',

  'api.good': 'The API answered',
  'api.none.title': 'The API does not answer',
  'api.none.text': 'It cannot be reached. Please try again in a minute.',
  'api.refused.title': 'The API did not let you in',
  'api.refused.text':
    'It does not accept your access token, though Zitadel does. Most likely the token is not meant for the project of the API.',
  'api.tooLong.title': 'The API did not let you in',
  'api.tooLong.text':
    'Your access token is longer than the API reads. Most likely it is a JWT with very many roles: opaque tokens are short.',
  'api.login.title': 'The API wants a fresh login',
  'api.login.text':
    'You are known there, but you logged in too long ago. A new access token changes nothing about that.',
  'api.login.button': 'Log in again',
  'api.forbidden.title': 'The API did not let you in',
  'api.forbidden.text': 'You are known there, but a permission is missing.',
  'api.unavailable.title': 'The API cannot check who you are right now',
  'api.unavailable.text':
    'It cannot ask Zitadel whether your access token is valid. Please try again in a minute.',
  'api.unexpected.title': 'The API answered something unexpected',
  'api.unexpected.text': 'The people who run this application have to look at it.',

  'admin.title': 'Admin',
  'admin.text': 'Only people with the role “admin” see this page. You have:',

  'signedOut.title': 'Logged out',
  'signedOut.heading': 'You are logged out',
  'signedOut.here': 'Your session here has ended. The one at Zitadel cannot be ended from here.',
  'signedOut.user': 'Your session here has ended, and so has the session at Zitadel that it came from.',
  'signedOut.everywhere':
    'Your sessions of this application have ended in every browser, and your session at Zitadel has ended in this one. In other browsers you may still be signed in at Zitadel.',
  'signedOut.before':
    'You were already logged out here, so nothing was left to end. You may still be signed in at Zitadel.',
  'signedOut.choice': 'Log out at Zitadel',
  'signedOut.again': 'Log in again',

  'notice.reference': 'If you ask for help, give the reference {reference}.',
  'notice.address': 'Open this application at its own address:',
  'notice.startAgain': 'Start again',

  'error.400.title': 'That request is not valid',
  'error.400.text': 'Something in the address or the form is not as it should be.',
  'error.401.title': 'Please sign in',
  'error.401.text': 'This page is only for people who are signed in.',
  'error.403.title': 'No access',
  'error.403.text': 'You are signed in, but this needs a permission you do not have.',
  'error.404.title': 'Page not found',
  'error.404.text': 'There is nothing at this address.',
  'error.405.title': 'That does not work here',
  'error.405.text': 'This address cannot be used in that way.',
  'error.413.title': 'That is too much',
  'error.413.text': 'The request is larger than this application accepts.',
  'error.429.title': 'One moment, please',
  'error.429.text':
    'There were too many sign-ins from your network in a short time. Please try again in a minute.',
  'error.500.title': 'Something went wrong',
  'error.500.text': 'It is not your fault. Please try again later.',
  'error.502.title': 'Zitadel answered something unexpected',
  'error.502.text': 'The people who run this application have to look at it.',
  'error.503.title': 'Zitadel cannot be reached',
  'error.503.text': 'Please try again in a minute. You are not signed out.',
  'error.AUTH_ROLES_REQUIRED.title': 'No access',
  'error.AUTH_ROLES_REQUIRED.text': 'You are signed in, but this needs a role you do not have.',
  'roles.readAt': 'Your roles were last read at Zitadel:',
  'roles.readAgain': 'Read them again',
  'roles.newRole':
    'A role that was created at Zitadel after you signed in counts once you have signed in anew.',
  'error.AUTH_CSRF_COOKIE_MISSING.title': 'Your browser has sent no cookie',
  'error.AUTH_CSRF_COOKIE_MISSING.text':
    'Allow cookies for this site, then load the page anew and try again.',
  'error.AUTH_CSRF_TOKEN_INVALID.title': 'The form is no longer valid',
  'error.AUTH_CSRF_TOKEN_INVALID.text': 'Go back, reload the page and try again.',
  'error.AUTH_CROSS_SITE_REQUEST.title': 'That form came from elsewhere',
  'error.AUTH_CROSS_SITE_REQUEST.text':
    'Another site made your browser send it, so nothing was done. Open the application itself and try again.',
  'error.AUTH_SESSIONS_UNAVAILABLE.title': 'Your session cannot be checked right now',
  'error.AUTH_SESSIONS_UNAVAILABLE.text': 'You are not signed out. Please try again in a minute.',
  'error.AUTH_UNKNOWN_ISSUER.title': 'This link is for another identity provider',
  'error.AUTH_UNKNOWN_ISSUER.text':
    'It names an identity provider that this application does not use. You can log in from the start page.',
  'error.ZITADEL_ACCESS_TOKEN_REJECTED.title': 'Zitadel refuses your session at the moment',
  'error.ZITADEL_ACCESS_TOKEN_REJECTED.text':
    'Please try again in a few seconds. If your session has ended, you will be asked to log in.',
  'error.ZITADEL_REFRESH_IN_DOUBT.title': 'Your session cannot be renewed at the moment',
  'error.ZITADEL_REFRESH_IN_DOUBT.text': 'Please try again in a minute. You are still logged in.',
  'error.ZITADEL_MISCONFIGURED.title': 'Sign-in is not set up correctly',
  'error.ZITADEL_MISCONFIGURED.text':
    'This application and Zitadel do not fit together. The people who run it find the reason in its log.',

  'signIn.access_denied.title': 'You were not signed in',
  'signIn.access_denied.text': 'Zitadel did not let you in, or you changed your mind. Nothing has happened.',
  'signIn.user_locked.title': 'Your account is locked',
  'signIn.user_locked.text': 'Zitadel has locked it. Its administrators can unlock it; then log in again.',
  'signIn.user_not_found.title': 'Your account is no longer there',
  'signIn.user_not_found.text':
    'Zitadel does not know it any more. Ask its administrators, or log in with another one.',
  'signIn.interaction_required.title': 'Zitadel has to ask you first',
  'signIn.interaction_required.text':
    'This sign-in was meant to need no answer from you, and that is not possible right now. Start again and answer what Zitadel asks.',
  'signIn.login_timed_out.title': 'That took too long',
  'signIn.login_timed_out.text':
    'A sign-in has to be finished within a quarter of an hour. Please start again.',
  'signIn.login_already_used.title': 'This sign-in is already finished',
  'signIn.login_already_used.text':
    'Its link works once. You may be signed in already: open the start page, or start again.',
  'signIn.cookie_missing.title': 'Your browser sent no cookies',
  'signIn.cookie_missing.text':
    'Without cookies nobody can stay signed in here. Allow them for this site, then start again.',
  'signIn.other_browser.title': 'This sign-in began elsewhere',
  'signIn.other_browser.text':
    'It was started in another browser or window, or its cookies were deleted. Please start again in this one.',
  'signIn.state_invalid.title': 'This link is not complete',
  'signIn.state_invalid.text':
    'The address belongs to no sign-in that was started here; perhaps a part of it was lost. Please start again.',
  'signIn.check_failed.title': 'This sign-in cannot be finished',
  'signIn.check_failed.text':
    'The answer does not fit the sign-in that was started here, so it was not accepted. Please start again.',
  'signIn.provider_unavailable.title': 'Sign-in is not available right now',
  'signIn.provider_unavailable.text': 'Zitadel cannot be reached. Please try again in a minute.',
  'signIn.provider_misconfigured.title': 'Sign-in is not set up correctly',
  'signIn.provider_misconfigured.text':
    'This application and Zitadel do not fit together. Trying again will not help. The people who run this application find the reason in its log.',
  'signIn.id_token_invalid.title': 'The proof of who you are was not accepted',
  'signIn.id_token_invalid.text':
    'What Zitadel sent did not pass the check, so nobody was signed in. The people who run this application find the reason in its log.',
  'signIn.userinfo_mismatch.title': 'Zitadel spoke of two people',
  'signIn.userinfo_mismatch.text':
    'What it says about you belongs to somebody else, so nobody was signed in. The people who run this application find the reason in its log.',
  'signIn.session_too_large.title': 'Your account is too large',
  'signIn.session_too_large.text':
    'Zitadel says more about you than a session here can hold. The people who run this application can ask for less.',
  'signIn.login_too_old.title': 'This needs a fresh login',
  'signIn.login_too_old.text':
    'Zitadel did not say that you have just proved who you are, although it was asked to make sure of that. Log out, then open the page again.',
  'signIn.organization_unknown.title': 'This organization is not known',
  'signIn.organization_unknown.text':
    'This link is meant for the members of one organization, and Zitadel knows none of that name or number. Ask whoever gave you the link.',
  'signIn.organization_mismatch.title': 'You belong to another organization',
  'signIn.organization_mismatch.text':
    'This sign-in was for the members of one organization, and your account is not of it. Nobody was signed in. If you have an account there, open the link again and choose it.',
  'signIn.provider_error.title': 'Zitadel refused the sign-in',
  'signIn.provider_error.text':
    'Something went wrong between this application and Zitadel. The people who run this application find the reason in its log.',
  'signIn.unknown.title': 'Something went wrong',
  'signIn.unknown.text':
    'Please start again. If it happens once more, tell the people who run this application.',

  'signOut.state_missing.title': 'You are signed out here',
  'signOut.state_missing.text':
    'The answer from Zitadel did not say which sign-out it was for, so we cannot tell whether you are signed out there, too.',
  'signOut.state_mismatch.title': 'You are signed out here',
  'signOut.state_mismatch.text':
    'The answer from Zitadel did not belong to a sign-out of this browser, so we cannot tell whether you are signed out there, too.',
  'signOut.provider_unavailable.title': 'You are signed out here',
  'signOut.provider_unavailable.text':
    'Zitadel could not be told that you have logged out, so you may still be signed in there. Close the browser if others use it.',
  'signOut.others_not_ended.title': 'You are signed out here, but perhaps not elsewhere',
  'signOut.others_not_ended.text':
    'Your sessions in other browsers could not be ended, and you may still be signed in at Zitadel. Log in and try again in a minute.',
} as const;

/** The name of a text. */
export type TextKey = keyof typeof en;

/** One language: a text for every key. */
export type Texts = Record<TextKey, string>;
