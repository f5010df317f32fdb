/** The paths of Login V2. */
export const loginPath = '/ui/v2/login/login';
export const loginNamePath = '/ui/v2/login/loginname';
export const passwordPath = '/ui/v2/login/password';
export const oneTimeCodePath = '/ui/v2/login/otp/time-based';
export const accountsPath = '/ui/v2/login/accounts';
export const registerPath = '/ui/v2/login/register';
export const registerPasswordPath = '/ui/v2/login/register/password';
export const verifyPath = '/ui/v2/login/verify';
export const logoutPath = '/ui/v2/login/logout';
export const devicePath = '/ui/v2/login/device';
/** prefix of all paths of Login V2 */
export const loginV2Prefix = '/ui/v2/login/';

/** The paths of Login V1. */
export const loginV1Path = '/ui/login/login';
export const loginNameV1Path = '/ui/login/loginname';
export const passwordV1Path = '/ui/login/password';
export const userSelectionV1Path = '/ui/login/userselection';
export const oneTimeCodeV1Path = '/ui/login/mfa/verify';
export const mailVerificationV1Path = '/ui/login/mail/verification';
export const registerV1Path = '/ui/login/register';
export const activationV1Path = '/ui/login/user/init';
export const invitationV1Path = '/ui/login/user/invite';
export const signedOutV1Path = '/ui/login/logout/done';
export const deviceV1Path = '/ui/login/device';
/** As in Zitadel, the page to decide has the name of a route's parameter in its address. */
export const deviceActionV1Path = '/ui/login/device/%7Baction%7D';
export const deviceAllowedV1Path = '/ui/login/device/allowed';
export const deviceDeniedV1Path = '/ui/login/device/denied';
/** where Login V1 sends people who have no sign-in to go on with */
export const consolePath = '/ui/console/';
/** the protocol endpoint that Login V1 redirects to after the sign-in */
export const callbackV1Path = '/oauth/v2/authorize/callback';
