// A browser on the core of the load generator, not on that of the server.
import { Browser } from './browser.mjs';
import { serve } from './remote.mjs';

const browser = new Browser();

serve({
  signIn: (origin, loginName, login) => browser.measuredSignIn(origin, loginName, login),
});
