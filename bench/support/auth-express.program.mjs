// The pages on Express with @auth/express, configured as in its documentation.
import { ExpressAuth, getSession } from '@auth/express';
import Zitadel from '@auth/express/providers/zitadel';
import { expressSite, renderPage, settings } from './express-site.mjs';

const { issuer, clientId, clientSecret, secret, scope } = settings;

const config = {
  basePath: '/auth',
  trustHost: true,
  secret,
  providers: [
    Zitadel({ issuer, clientId, clientSecret, ...(scope ? { authorization: { params: { scope } } } : {}) }),
  ],
};

const app = expressSite();
app.use('/auth', ExpressAuth(config));
app.get('/profile', authenticatedUser, (_request, response) => {
  renderPage(response, '/profile', response.locals.session.user.name);
});
app.listen(settings.port);

async function authenticatedUser(request, response, next) {
  response.locals.session = await getSession(request, config);
  if (response.locals.session?.user) next();
  else response.redirect('/auth/signin');
}
