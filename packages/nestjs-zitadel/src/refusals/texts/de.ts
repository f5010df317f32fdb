import type { Translations } from './explanation-texts.js';

const again = 'Neu beginnen.';
const logInAgain = 'Neu anmelden.';
const seeLog = 'Betreiber: Der Fehler steht im Log.';

export const de: Translations = {
  colon: ': ',
  none: 'keine',
  labels: {
    session: { needed: 'eine Sitzung', held: 'Sitzung' },
    credentials: 'eine dieser Anmeldearten',
    roles: { needed: 'eine der Rollen', held: 'Rollen, die gelten' },
    grants: 'Rollen nach Organisation',
    organization: {
      needed: 'eine Organisation, in der die Person eine Rolle hat',
      held: 'aktive Organisation',
    },
    organizationAsked: 'angefragte Organisation, die unbekannt ist oder der Person keine Rolle gibt',
    organizations: 'Organisationen mit Rollen',
    homeOrganization: { needed: 'ein Mitglied der Organisation', held: 'Organisation der Person' },
    readAt: 'bei Zitadel gelesen',
    signInAgeSeconds: {
      needed: 'höchstens so viele Sekunden seit der Anmeldung',
      held: 'Sekunden seit der Anmeldung',
    },
    factors: { needed: 'alle diese Faktoren', held: 'Faktoren' },
    scopes: { needed: 'alle diese Scopes', held: 'Scopes' },
    csrf: 'CSRF-Token',
    origin: 'Origin',
    site: 'Sec-Fetch-Site',
    bearerToken: { needed: 'ein Bearer-Token', held: 'Bearer-Token' },
    tokenKind: 'Art des Tokens',
    tokenProblem: 'Fehler des Tokens',
    tokenAgeSeconds: 'Sekunden seit der Ausstellung des Tokens',
    audience: { needed: 'in der Audience (Projekt oder Client-ID)', held: 'Audience' },
    provider: 'Provider der Sitzung',
  },
  values: {
    session: {
      none: 'keine',
      'ended (…)': 'beendet (…)',
      'a cookie that does not open': 'ein Cookie, das sich nicht entschlüsseln lässt',
    },
    credentials: { session: 'Sitzung', 'bearer token': 'Bearer-Token' },
    organization: { none: 'keine' },
    homeOrganization: { none: 'keine' },
    provider: { 'another than Zitadel, or no ID token': 'ein anderer als Zitadel, oder kein ID-Token' },
    csrf: {
      'the token of this browser': 'das Token dieses Browsers',
      'no cookie': 'kein Cookie',
      'no token': 'kein Token',
      'another token': 'ein anderes Token',
    },
    signInAgeSeconds: { 'unknown: no auth_time': 'unbekannt: kein auth_time' },
    bearerToken: {
      none: 'keines',
      'none, but an Authorization header of another scheme':
        'keines, aber ein Authorization-Header mit anderem Schema',
    },
  },
  helps: {
    access_denied: 'Neu beginnen; sonst hilft, wer Zitadel verwaltet.',
    user_locked: 'Wer Zitadel verwaltet, entsperrt das Konto.',
    user_not_found: 'Ein anderes Konto; sonst hilft, wer Zitadel verwaltet.',
    interaction_required: 'Ohne prompt=none neu beginnen.',
    login_timed_out: again,
    login_already_used: 'Die Startseite öffnen; sonst neu beginnen.',
    cookie_missing:
      'Cookies für diese Website erlauben; die Anwendung unter der Adresse öffnen, die auf der Seite steht. Betreiber: Liegt der Callback auf dem Origin von ZITADEL_CALLBACK_URL, mit https, wo dort https steht?',
    other_browser: 'In diesem Browser neu beginnen.',
    state_invalid: 'Neu beginnen; die Adresse nicht kürzen.',
    check_failed:
      'Neu beginnen. Kommt es oft vor, verändert jemand zwischen Browser und Anwendung die Antworten.',
    provider_unavailable: 'Eine Minute warten. Betreiber: Erreicht dieser Rechner ZITADEL_DOMAIN?',
    provider_misconfigured:
      'Betreiber: ZITADEL_DOMAIN, ZITADEL_CLIENT_ID, ZITADEL_CLIENT_SECRET und die Redirect-URI mit der Konsole von Zitadel vergleichen.',
    id_token_invalid: 'Betreiber: Das Log nennt die Prüfung. Die Uhren beider Rechner prüfen.',
    userinfo_mismatch: 'Betreiber: Etwas zwischen Zitadel und dieser Anwendung vertauscht Antworten.',
    session_too_large:
      'Betreiber: Das Log nennt die größten Claims. ZITADEL_USER_METADATA=false, weniger Scopes in ZITADEL_SCOPES, oder maxCookies in packages/nestjs-zitadel/src/sign-in/auth-options.ts erhöhen.',
    login_too_old: 'Abmelden, dann die Seite noch einmal öffnen.',
    user_mismatch: 'Die Seite noch einmal öffnen und sich mit dem Konto anmelden, das hier angemeldet ist.',
    factor_missing:
      'Den Faktor bei Zitadel einrichten (der Link steht auf der Seite), dann die Seite noch einmal öffnen.',
    organization_unknown: 'Wer den Link erstellt hat, muss ihn korrigieren.',
    organization_mismatch: 'Den Link noch einmal öffnen und ein Konto dieser Organisation wählen.',
    provider_error: 'Neu beginnen. Betreiber: Die Worte von Zitadel stehen im Log.',
    refresh_rejected: logInAgain,
    no_refresh:
      'Neu anmelden. Betreiber: „Refresh Token“ für die Anwendung in Zitadel ankreuzen; mehr steht im Log.',
    unusable: 'Neu anmelden. Betreiber: wie bei session_too_large.',
    revoked:
      'Neu anmelden; Zitadel wird mit prompt=login gefragt, denn es kann in diesem Browser noch eine Sitzung haben.',
    AUTH_SESSION_REQUIRED: 'Unter loginUrl anmelden.',
    AUTH_SESSION_ENDED: 'Unter loginUrl neu anmelden.',
    AUTH_ROLES_REQUIRED:
      'Wer Zitadel verwaltet, vergibt die Rolle dort; dann die Rollen mit dem Knopf der Seite neu lesen. Bei einer Rolle, die nach der Anmeldung angelegt wurde: neu anmelden.',
    ORGANIZATION_REQUIRED:
      'Die Seite bietet eine Auswahl an. Wer die API aufruft, nennt eine Organisation im Header X-Organization.',
    ORGANIZATION_WITHOUT_ROLES: 'Eine andere Organisation; wer Zitadel verwaltet, vergibt dort eine Rolle.',
    AUTH_FRESH_SIGN_IN_REQUIRED: 'Die Seite in einem Browser öffnen.',
    AUTH_FRESH_SIGN_IN_IMPOSSIBLE: 'Mit Zitadel anmelden.',
    AUTH_CSRF_COOKIE_MISSING:
      'Cookies für diese Website erlauben, die Seite neu laden und das Formular noch einmal senden. Ein Skript ruft GET /auth/csrf auf und sendet das Cookie dieser Antwort und ihr Token als X-CSRF-Token.',
    AUTH_CSRF_TOKEN_INVALID:
      'Die Seite neu laden und das Formular noch einmal senden. Ein Skript sendet X-CSRF-Token mit dem Token von GET /auth/csrf.',
    AUTH_CROSS_SITE_REQUEST:
      'Die Anwendung unter der Adresse öffnen, die auf der Seite steht. Betreiber: Ist sie unter dem Origin von ZITADEL_CALLBACK_URL geöffnet?',
    UNAUTHORIZED: seeLog,
    FORBIDDEN: seeLog,
    API_TOKEN_REQUIRED: 'Den Header Authorization: Bearer … mit einem Access-Token senden.',
    API_TOKEN_INVALID:
      'Ein neues Token holen, für das Projekt der API. Betreiber: npm run doctor -- token sagt, warum.',
    API_LOGIN_TOO_OLD: 'Mit prompt=login neu anmelden und das neue Token verwenden.',
    API_FACTORS_REQUIRED: 'Mit diesem Faktor neu anmelden und das neue Token verwenden.',
    API_SCOPE_REQUIRED: 'Ein Token mit diesen Scopes anfordern.',
    API_ROLE_REQUIRED: 'Wer Zitadel verwaltet, vergibt eine Rolle dort; sie gilt innerhalb einer Minute.',
  },
};
