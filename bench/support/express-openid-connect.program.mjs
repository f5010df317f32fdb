// The pages on Express with express-openid-connect, configured as in its README and EXAMPLES.md.
import openId from 'express-openid-connect';
import { expressSite, renderPage, settings } from './express-site.mjs';

const { origin, issuer, clientId, clientSecret, secret, scope } = settings;

const app = expressSite();
app.use(
  openId.auth({
    issuerBaseURL: issuer,
    baseURL: origin,
    clientID: clientId,
    clientSecret,
    secret,
    // The default is the implicit flow, which Zitadel advises against.
    authorizationParams: { response_type: 'code', ...(scope ? { scope } : {}) },
    authRequired: false,
    routes: { login: false },
  }),
);
app.get('/login', (_request, response) => response.oidc.login({ returnTo: '/profile' }));
app.get('/profile', openId.requiresAuth(), (request, response) => {
  renderPage(response, '/profile', request.oidc.user.name);
});
app.listen(settings.port);
