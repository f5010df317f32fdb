import type { Translations } from './explanation-texts.js';

const again = 'Recommencer.';
const logInAgain = 'Se reconnecter.';
const seeLog = 'Responsables\u00a0: l’erreur est dans le journal.';

export const fr: Translations = {
  colon: '\u00a0: ',
  none: 'aucun',
  labels: {
    session: { needed: 'une session', held: 'session' },
    credentials: 'un de ces moyens d’authentification',
    roles: { needed: 'un des rôles', held: 'rôles qui comptent' },
    grants: 'rôles par organisation',
    organization: {
      needed: 'une organisation dans laquelle la personne a un rôle',
      held: 'organisation active',
    },
    organizationAsked: 'organisation demandée, inconnue ou sans rôle pour la personne',
    organizations: 'organisations avec des rôles',
    homeOrganization: { needed: 'un membre de l’organisation', held: 'organisation de la personne' },
    readAt: 'lu chez Zitadel',
    signInAgeSeconds: {
      needed: 'au plus ce nombre de secondes depuis la connexion',
      held: 'secondes depuis la connexion',
    },
    factors: { needed: 'tous ces facteurs', held: 'facteurs' },
    scopes: { needed: 'tous ces scopes', held: 'scopes' },
    csrf: 'jeton CSRF',
    origin: 'origine',
    site: 'Sec-Fetch-Site',
    bearerToken: { needed: 'un jeton bearer', held: 'jeton bearer' },
    tokenKind: 'type de jeton',
    tokenProblem: 'défaut du jeton',
    tokenAgeSeconds: 'secondes depuis l’émission du jeton',
    audience: { needed: 'dans l’audience (projet ou ID client)', held: 'audience' },
    provider: 'fournisseur d’identité de la session',
  },
  values: {
    session: {
      none: 'aucune',
      'ended (…)': 'terminée (…)',
      'a cookie that does not open': 'un cookie impossible à déchiffrer',
    },
    credentials: { session: 'session', 'bearer token': 'jeton bearer' },
    organization: { none: 'aucune' },
    organizations: { none: 'aucune' },
    audience: { none: 'aucune' },
    homeOrganization: { none: 'aucune' },
    provider: { 'another than Zitadel, or no ID token': 'un autre que Zitadel, ou pas de jeton d’identité' },
    csrf: {
      'the token of this browser': 'le jeton de ce navigateur',
      'no cookie': 'aucun cookie',
      'no token': 'aucun jeton',
      'another token': 'un autre jeton',
    },
    signInAgeSeconds: { 'unknown: no auth_time': 'inconnu\u00a0: pas d’auth_time' },
    bearerToken: {
      none: 'aucun',
      'none, but an Authorization header of another scheme':
        'aucun, mais un en-tête Authorization avec un autre schéma',
    },
  },
  helps: {
    access_denied: 'Recommencer\u00a0; sinon, s’adresser à un administrateur de Zitadel.',
    user_locked: 'Un administrateur de Zitadel déverrouille le compte.',
    user_not_found: 'Choisir un autre compte\u00a0; sinon, s’adresser à un administrateur de Zitadel.',
    interaction_required: 'Recommencer sans prompt=none.',
    login_timed_out: again,
    login_already_used: 'Ouvrir la page d’accueil\u00a0; sinon, recommencer.',
    cookie_missing:
      'Autoriser les cookies pour ce site\u00a0; ouvrir l’application à l’adresse que la page indique. Responsables\u00a0: le callback est-il sur l’origine de ZITADEL_CALLBACK_URL, en https si elle est en https\u00a0?',
    other_browser: 'Recommencer dans ce navigateur.',
    state_invalid: 'Recommencer\u00a0; ne pas raccourcir l’adresse.',
    check_failed:
      'Recommencer. Si cela arrive souvent, quelqu’un entre le navigateur et l’application modifie les réponses.',
    provider_unavailable:
      'Attendre une minute. Responsables\u00a0: cette machine atteint-elle ZITADEL_DOMAIN\u00a0?',
    provider_misconfigured:
      'Responsables\u00a0: comparer ZITADEL_DOMAIN, ZITADEL_CLIENT_ID, ZITADEL_CLIENT_SECRET et l’URI de redirection avec la console de Zitadel.',
    id_token_invalid:
      'Responsables\u00a0: le journal nomme la vérification. Contrôler les horloges des deux machines.',
    userinfo_mismatch:
      'Responsables\u00a0: quelque chose entre Zitadel et cette application mélange les réponses.',
    session_too_large:
      'Responsables\u00a0: le journal nomme les plus grands claims. ZITADEL_USER_METADATA=false, moins de scopes dans ZITADEL_SCOPES, ou augmenter maxCookies dans packages/nestjs-zitadel/src/sign-in/auth-options.ts.',
    login_too_old: 'Se déconnecter, puis rouvrir la page.',
    user_mismatch: 'Rouvrir la page et se connecter avec le compte connecté ici.',
    factor_missing: 'Configurer le facteur chez Zitadel (le lien est sur la page), puis rouvrir la page.',
    organization_unknown: 'L’auteur du lien le corrige.',
    organization_mismatch: 'Rouvrir le lien et choisir un compte de cette organisation.',
    provider_error: 'Recommencer. Responsables\u00a0: le journal contient le message de Zitadel.',
    refresh_rejected: logInAgain,
    no_refresh:
      'Se reconnecter. Responsables\u00a0: cocher «\u00a0Refresh Token\u00a0» pour l’application dans Zitadel\u00a0; le journal en dit plus.',
    unusable: 'Se reconnecter. Responsables\u00a0: comme session_too_large.',
    revoked:
      'Se reconnecter\u00a0; Zitadel est interrogé avec prompt=login, car il peut encore avoir une session dans ce navigateur.',
    AUTH_SESSION_REQUIRED: 'Se connecter à l’adresse loginUrl.',
    AUTH_SESSION_ENDED: 'Se reconnecter à l’adresse loginUrl.',
    AUTH_ROLES_REQUIRED:
      'Un administrateur accorde le rôle dans Zitadel\u00a0; relire ensuite les rôles avec le bouton de la page. Pour un rôle créé après la connexion\u00a0: se reconnecter.',
    ORGANIZATION_REQUIRED:
      'La page propose un choix. Un programme qui appelle l’API indique une organisation dans l’en-tête X-Organization.',
    ORGANIZATION_WITHOUT_ROLES: 'Une autre organisation\u00a0; un administrateur y accorde un rôle.',
    AUTH_FRESH_SIGN_IN_REQUIRED: 'Ouvrir la page dans un navigateur.',
    AUTH_FRESH_SIGN_IN_IMPOSSIBLE: 'Se connecter avec Zitadel.',
    AUTH_CSRF_COOKIE_MISSING:
      'Autoriser les cookies pour ce site, recharger la page et renvoyer le formulaire. Un script appelle GET /auth/csrf et envoie le cookie de cette réponse, avec son jeton dans X-CSRF-Token.',
    AUTH_CSRF_TOKEN_INVALID:
      'Recharger la page et renvoyer le formulaire. Un script envoie X-CSRF-Token avec le jeton de GET /auth/csrf.',
    AUTH_CROSS_SITE_REQUEST:
      'Ouvrir l’application à l’adresse que la page indique. Responsables\u00a0: est-elle ouverte sous l’origine de ZITADEL_CALLBACK_URL\u00a0?',
    UNAUTHORIZED: seeLog,
    FORBIDDEN: seeLog,
    API_TOKEN_REQUIRED: 'Envoyer l’en-tête Authorization: Bearer … avec un jeton d’accès.',
    API_TOKEN_INVALID:
      'Obtenir un nouveau jeton, pour le projet de l’API. Responsables\u00a0: npm run doctor -- token dit pourquoi.',
    API_LOGIN_TOO_OLD: 'Se reconnecter avec prompt=login et utiliser le nouveau jeton.',
    API_FACTORS_REQUIRED: 'Se reconnecter avec ce facteur et utiliser le nouveau jeton.',
    API_SCOPE_REQUIRED: 'Demander un jeton avec ces scopes.',
    API_ROLE_REQUIRED: 'Un administrateur en accorde un dans Zitadel\u00a0; il compte en moins d’une minute.',
  },
};
