import type { Texts } from './en.js';

/** German. */
export const de: Texts = {
  'app.name': 'NestJS mit Zitadel',
  'app.description': 'Anmeldung für NestJS mit Zitadel.',
  'app.skip': 'Zum Inhalt springen',
  'app.footer':
    'Anmeldung mit Zitadel über OpenID Connect. Kein Skript und keine Seite bekommt Ihre Tokens zu sehen.',

  'nav.label': 'Hauptmenü',
  'nav.profile': 'Profil',
  'nav.admin': 'Admin',
  'nav.login': 'Anmelden',
  'nav.logout': 'Abmelden',
  'nav.start': 'Zur Startseite',

  'home.title': 'Willkommen',
  'home.heading': 'Die Anmeldung ist fertig – und gut gemacht.',
  'home.lead':
    'Eine NestJS-Anwendung mit serverseitig gerenderten Seiten. Die Anmeldung läuft über Zitadel; die Sitzung liegt in einem verschlüsselten Cookie, das kein Skript lesen kann.',
  'home.profile': 'Profil öffnen',
  'home.signedInAs': 'Angemeldet als {name}',
  'home.register': 'Konto erstellen',
  'home.public': 'Diese Seite ist öffentlich. Das Profil ist es nicht.',
  'home.flow.title': 'Authorization Code mit PKCE',
  'home.flow.text': 'Der Flow, den die OAuth-Sicherheitsempfehlungen verlangen, mit State und Nonce.',
  'home.roles.title': 'Rollen und Organisationen',
  'home.roles.text': 'Welche Seiten zugänglich sind, entscheiden die Berechtigungen in Zitadel.',
  'home.logout.title': 'Abgemeldet heißt abgemeldet',
  'home.logout.text': 'Hier und bei Zitadel, mit geprüfter Antwort.',

  'login.title': 'Anmelden',
  'login.registerTitle': 'Konto erstellen',
  'login.elsewhere': 'Es geht bei Zitadel weiter und danach hierher zurück.',
  'login.deepLink': 'Für die gewünschte Seite ist eine Anmeldung nötig. Danach geht es dort weiter.',
  'login.lost':
    'Zur gewünschten Seite führt diese Anmeldung nicht zurück: Ihre Adresse ist zu lang oder nicht mehr bekannt. Die Anmeldung endet auf {page}.',
  'login.button': 'Weiter mit Zitadel',
  'login.registerButton': 'Konto erstellen',
  'login.stay': 'Unverändert weiter',
  'login.back': 'Zurück zur Startseite',

  'ended.refresh_rejected':
    'Sie wurden abgemeldet, weil Zitadel Ihre Sitzung nicht mehr erneuert: Sie wurde dort zu lange nicht benutzt, oder sie wurde beendet. Bitte erneut anmelden.',
  'ended.revoked':
    'Ihre Sitzung hier wurde anderswo oder von Zitadel beendet. Bei Zitadel ist dieser Browser vielleicht noch angemeldet; deshalb wird dort noch einmal gefragt, wer Sie sind.',
  'ended.unusable':
    'Sie wurden abgemeldet, weil Ihre Sitzung nicht erneuert werden konnte. Bitte erneut anmelden.',
  'ended.no_refresh':
    'Sie wurden abgemeldet, weil Ihr Access-Token abgelaufen ist und diese Anwendung es nicht erneuern kann. Bitte melden Sie sich wieder an.',

  'profile.title': 'Ihr Profil',
  'profile.emailVerified': 'bestätigt',
  'profile.emailUnverified': 'nicht bestätigt',
  'profile.organization': 'Organisation',
  'profile.noOrganization': 'Zitadel hat keine genannt.',
  'profile.roles': 'Rollen',
  'profile.grantedBy': 'vergeben von {organizations}',
  'profile.noRoles': 'Keine Rollen in diesem Projekt.',
  'profile.account': 'Konto',
  'profile.loginName': 'Anmeldename',
  'profile.userId': 'Benutzer-ID',
  'profile.metadata': 'Metadaten',
  'profile.session': 'Sitzung',
  'profile.signedInAt': 'Anmeldung',
  'profile.signedInHow': 'Anmeldemethode',
  'profile.renewedAt': 'Access-Token erneuert',
  'profile.idleEnd': 'Endet bei Inaktivität',
  'profile.absoluteEnd': 'Endet spätestens',
  'profile.everywhere': 'Überall abmelden',
  'profile.everywhereText':
    'Beendet Ihre Sitzungen dieser Anwendung in allen Browsern, auch in diesem. Bei Zitadel bleiben andere Browser angemeldet; hier müssen sie sich neu anmelden.',
  'profile.api': 'API',
  'profile.apiText':
    'Diese Anwendung ruft ihre API für Sie auf, mit Ihrem Access-Token, von Server zu Server.',
  'profile.apiButton': 'API aufrufen',
  'profile.claims': 'Was Zitadel bei der Anmeldung gesagt hat',
  'profile.claimsText': 'Die Claims Ihres ID-Tokens, in den Worten von Zitadel und in unseren.',
  'profile.claim': 'Claim',
  'profile.value': 'Wert',
  'profile.live': 'Was Zitadel jetzt gerade sagt',
  'profile.liveText': 'In diesem Moment für Sie am Userinfo-Endpunkt von Zitadel abgefragt.',
  'profile.liveButton': 'Zitadel jetzt fragen',
  'profile.liveWaiting': 'Zitadel wird gefragt …',
  'profile.liveDone': 'Das sagt Zitadel.',
  'profile.liveFailed': 'Zitadel hat nicht geantwortet. Der Rest dieser Seite ist davon nicht betroffen.',
  'profile.json': 'Als JSON',

  'how.pwd': 'Passwort',
  'how.otp': 'Einmalcode',
  'how.user': 'Passkey oder Sicherheitsschlüssel',
  'how.mfa': 'mehrere Faktoren',
  'how.unknown': 'externer Identitätsanbieter',

  'claim.iss': 'Von wem das alles stammt: die Adresse von Zitadel.',
  'claim.sub': 'Ihre Benutzer-ID: die einzige Angabe über Sie, die sich nie ändert.',
  'claim.aud': 'Für wen das Token bestimmt ist: die Anwendungen des Projekts und das Projekt selbst.',
  'claim.azp': 'Die Anwendung, die angefragt hat.',
  'claim.client_id': 'Noch einmal die Anwendung, die angefragt hat.',
  'claim.exp': 'Wann das Token abläuft.',
  'claim.iat': 'Wann das Token ausgestellt wurde.',
  'claim.nbf': 'Ab wann das Token gilt.',
  'claim.jti': 'Der Name genau dieses Tokens.',
  'claim.act': 'Wer in Ihrem Namen handelt.',
  'claim.acr': 'Wie stark der Nachweis Ihrer Identität war.',
  'claim.groups': 'Die Gruppen, denen Sie angehören.',
  'claim.auth_time': 'Wann Sie Ihre Identität zuletzt nachgewiesen haben.',
  'claim.updated_at': 'Wann Ihr Profil zuletzt geändert wurde.',
  'claim.nonce': 'Ein Zufallswert, der das Token an diese Anmeldung bindet.',
  'claim.at_hash': 'Bindet das Token an das Access-Token, mit dem es ausgestellt wurde.',
  'claim.sid': 'Die Sitzung bei Zitadel.',
  'claim.amr': 'Wie Sie Ihre Identität nachgewiesen haben.',
  'claim.name': 'Ihr vollständiger Name.',
  'claim.given_name': 'Ihr Vorname.',
  'claim.family_name': 'Ihr Nachname.',
  'claim.nickname': 'Wie Freunde Sie nennen.',
  'claim.gender': 'Ihr Geschlecht, soweit bei Zitadel angegeben.',
  'claim.locale': 'Die bei Zitadel gewählte Sprache.',
  'claim.picture': 'Wo Ihr Bild liegt.',
  'claim.preferred_username': 'Ihr Anmeldename.',
  'claim.email': 'Ihre E-Mail-Adresse.',
  'claim.email_verified': 'Ob Zitadel geprüft hat, dass die Adresse Ihnen gehört.',
  'claim.phone_number': 'Ihre Telefonnummer.',
  'claim.phone_number_verified': 'Ob Zitadel geprüft hat, dass die Nummer Ihnen gehört.',
  'claim.roles': 'Ihre Rollen im Projekt dieser Anwendung, mit den Organisationen, die sie vergeben.',
  'claim.projectRoles': 'Ihre Rollen im Projekt {project}, mit den Organisationen, die sie vergeben.',
  'claim.organizationId': 'Die Organisation, zu der Sie gehören.',
  'claim.organizationName': 'Der Name Ihrer Organisation.',
  'claim.organizationDomain': 'Die primäre Domain Ihrer Organisation.',
  'claim.organizationAsked': 'Die Organisation, für die diese Anmeldung galt.',
  'claim.metadata':
    'Was Ihre Organisation über Sie vermerkt hat. Zitadel sendet es codiert, hier ist es lesbar.',
  'claim.custom': 'Ein Claim, den Ihre Zitadel-Instanz hinzufügt.',

  'api.good': 'Die API hat geantwortet',
  'api.none.title': 'Die API antwortet nicht',
  'api.none.text': 'Sie ist nicht erreichbar. Bitte in einer Minute erneut versuchen.',
  'api.refused.title': 'Die API hat den Zugriff verweigert',
  'api.refused.text':
    'Sie akzeptiert Ihr Access-Token nicht, Zitadel aber schon. Höchstwahrscheinlich ist das Token nicht für das Projekt der API bestimmt.',
  'api.tooLong.title': 'Die API hat den Zugriff verweigert',
  'api.tooLong.text':
    'Ihr Access-Token ist länger, als die API liest. Höchstwahrscheinlich ist es ein JWT mit sehr vielen Rollen: opake Tokens sind kurz.',
  'api.login.title': 'Die API verlangt eine frische Anmeldung',
  'api.login.text':
    'Dort sind Sie bekannt, aber Ihre Anmeldung liegt zu lange zurück. Ein neues Access-Token ändert daran nichts.',
  'api.login.button': 'Neu anmelden',
  'api.forbidden.title': 'Die API hat den Zugriff verweigert',
  'api.forbidden.text': 'Dort sind Sie bekannt, aber es fehlt eine Berechtigung.',
  'api.unavailable.title': 'Die API kann Ihre Identität gerade nicht prüfen',
  'api.unavailable.text':
    'Zitadel sagt ihr nicht, ob Ihr Access-Token gültig ist. Bitte in einer Minute erneut versuchen.',
  'api.unexpected.title': 'Unerwartete Antwort der API',
  'api.unexpected.text': 'Darum müssen sich die Betreiber dieser Anwendung kümmern.',

  'admin.title': 'Admin',
  'admin.text': 'Diese Seite sehen nur Personen mit der Rolle „admin“. Ihre Rollen:',

  'signedOut.title': 'Abgemeldet',
  'signedOut.heading': 'Sie sind abgemeldet',
  'signedOut.here':
    'Ihre Sitzung hier ist beendet. Die Sitzung bei Zitadel lässt sich von hier aus nicht beenden.',
  'signedOut.user':
    'Ihre Sitzung hier ist beendet, und ebenso die Sitzung bei Zitadel, aus der sie entstand.',
  'signedOut.everywhere':
    'Ihre Sitzungen dieser Anwendung sind in allen Browsern beendet, und die Sitzung bei Zitadel in diesem. In anderen Browsern sind Sie bei Zitadel vielleicht noch angemeldet.',
  'signedOut.before':
    'Hier waren Sie bereits abgemeldet, es war also nichts mehr zu beenden. Bei Zitadel sind Sie vielleicht noch angemeldet.',
  'signedOut.choice': 'Bei Zitadel abmelden',
  'signedOut.again': 'Erneut anmelden',

  'notice.reference': 'Bei Fragen bitte die Referenz {reference} angeben.',
  'notice.address': 'Bitte diese Anwendung unter ihrer eigenen Adresse öffnen:',
  'notice.startAgain': 'Neu beginnen',

  'error.400.title': 'Diese Anfrage ist ungültig',
  'error.400.text': 'An der Adresse oder am Formular stimmt etwas nicht.',
  'error.401.title': 'Bitte anmelden',
  'error.401.text': 'Diese Seite ist nur für angemeldete Personen.',
  'error.403.title': 'Kein Zugriff',
  'error.403.text': 'Sie sind angemeldet, aber hierfür fehlt Ihnen eine Berechtigung.',
  'error.404.title': 'Seite nicht gefunden',
  'error.404.text': 'Unter dieser Adresse gibt es nichts.',
  'error.405.title': 'Das geht hier nicht',
  'error.405.text': 'Diese Adresse lässt sich so nicht verwenden.',
  'error.413.title': 'Das ist zu viel',
  'error.413.text': 'Die Anfrage ist größer, als diese Anwendung erlaubt.',
  'error.429.title': 'Einen Moment bitte',
  'error.429.text':
    'Aus Ihrem Netzwerk kamen in kurzer Zeit zu viele Anmeldungen. Bitte in einer Minute erneut versuchen.',
  'error.500.title': 'Etwas ist schiefgegangen',
  'error.500.text': 'An Ihnen liegt es nicht. Bitte später erneut versuchen.',
  'error.502.title': 'Unerwartete Antwort von Zitadel',
  'error.502.text': 'Darum müssen sich die Betreiber dieser Anwendung kümmern.',
  'error.503.title': 'Zitadel ist nicht erreichbar',
  'error.503.text': 'Bitte in einer Minute noch einmal versuchen. Sie sind nicht abgemeldet.',
  'error.AUTH_ROLES_REQUIRED.title': 'Kein Zugriff',
  'error.AUTH_ROLES_REQUIRED.text': 'Sie sind angemeldet, aber hierfür fehlt Ihnen eine Rolle.',
  'roles.readAt': 'Ihre Rollen wurden zuletzt bei Zitadel gelesen:',
  'roles.readAgain': 'Neu lesen',
  'roles.newRole':
    'Eine Rolle, die bei Zitadel nach Ihrer Anmeldung angelegt wurde, zählt erst, wenn Sie sich neu angemeldet haben.',
  'error.AUTH_CSRF_COOKIE_MISSING.title': 'Ihr Browser hat kein Cookie mitgeschickt',
  'error.AUTH_CSRF_COOKIE_MISSING.text':
    'Bitte Cookies für diese Website erlauben, die Seite neu laden und es noch einmal versuchen.',
  'error.AUTH_CSRF_TOKEN_INVALID.title': 'Das Formular ist nicht mehr gültig',
  'error.AUTH_CSRF_TOKEN_INVALID.text':
    'Bitte zurückgehen, die Seite neu laden und es noch einmal versuchen.',
  'error.AUTH_CROSS_SITE_REQUEST.title': 'Dieses Formular kam von anderswo',
  'error.AUTH_CROSS_SITE_REQUEST.text':
    'Eine andere Website hat Ihren Browser dazu gebracht, es zu senden. Deshalb ist nichts geschehen. Bitte die Anwendung selbst öffnen und es noch einmal versuchen.',
  'error.AUTH_SESSIONS_UNAVAILABLE.title': 'Ihre Sitzung lässt sich gerade nicht prüfen',
  'error.AUTH_SESSIONS_UNAVAILABLE.text':
    'Sie sind nicht abgemeldet. Bitte in einer Minute erneut versuchen.',
  'error.AUTH_UNKNOWN_ISSUER.title': 'Dieser Link gilt für einen anderen Identitätsanbieter',
  'error.AUTH_UNKNOWN_ISSUER.text':
    'Er nennt einen Identitätsanbieter, den diese Anwendung nicht verwendet. Die Anmeldung ist über die Startseite möglich.',
  'error.ZITADEL_ACCESS_TOKEN_REJECTED.title': 'Zitadel lehnt Ihre Sitzung im Moment ab',
  'error.ZITADEL_ACCESS_TOKEN_REJECTED.text':
    'Bitte in ein paar Sekunden noch einmal versuchen. Ist Ihre Sitzung beendet, werden Sie gebeten, sich anzumelden.',
  'error.ZITADEL_REFRESH_IN_DOUBT.title': 'Ihre Sitzung kann im Moment nicht erneuert werden',
  'error.ZITADEL_REFRESH_IN_DOUBT.text':
    'Bitte in einer Minute noch einmal versuchen. Sie bleiben angemeldet.',
  'error.ZITADEL_MISCONFIGURED.title': 'Die Anmeldung ist nicht richtig eingerichtet',
  'error.ZITADEL_MISCONFIGURED.text':
    'Diese Anwendung und Zitadel passen nicht zusammen. Die Betreiber finden den Grund im Log der Anwendung.',

  'signIn.access_denied.title': 'Die Anmeldung wurde abgebrochen',
  'signIn.access_denied.text':
    'Zitadel hat den Zugang verweigert, oder Sie haben es sich anders überlegt. Es ist nichts passiert.',
  'signIn.user_locked.title': 'Ihr Konto ist gesperrt',
  'signIn.user_locked.text':
    'Zitadel hat es gesperrt. Wer Zitadel verwaltet, kann es entsperren; melden Sie sich danach neu an.',
  'signIn.user_not_found.title': 'Ihr Konto gibt es nicht mehr',
  'signIn.user_not_found.text':
    'Zitadel kennt es nicht mehr. Fragen Sie, wer Zitadel verwaltet, oder melden Sie sich mit einem anderen an.',
  'signIn.interaction_required.title': 'Zitadel muss erst nachfragen',
  'signIn.interaction_required.text':
    'Die Anmeldung sollte ohne Rückfrage ablaufen, und das ist gerade nicht möglich. Bitte neu beginnen und die Fragen von Zitadel beantworten.',
  'signIn.login_timed_out.title': 'Das hat zu lange gedauert',
  'signIn.login_timed_out.text':
    'Eine Anmeldung muss innerhalb einer Viertelstunde abgeschlossen sein. Bitte neu beginnen.',
  'signIn.login_already_used.title': 'Diese Anmeldung ist bereits abgeschlossen',
  'signIn.login_already_used.text':
    'Der Link dazu funktioniert nur einmal. Vielleicht sind Sie schon angemeldet: Bitte die Startseite öffnen oder neu beginnen.',
  'signIn.cookie_missing.title': 'Ihr Browser hat keine Cookies gesendet',
  'signIn.cookie_missing.text':
    'Ohne Cookies kann hier niemand angemeldet bleiben. Bitte Cookies für diese Website erlauben und neu beginnen.',
  'signIn.other_browser.title': 'Diese Anmeldung begann anderswo',
  'signIn.other_browser.text':
    'Sie wurde in einem anderen Browser oder Fenster begonnen, oder ihre Cookies wurden gelöscht. Bitte hier neu beginnen.',
  'signIn.state_invalid.title': 'Dieser Link ist unvollständig',
  'signIn.state_invalid.text':
    'Die Adresse gehört zu keiner Anmeldung, die hier begonnen wurde; vielleicht ging ein Teil davon verloren. Bitte neu beginnen.',
  'signIn.check_failed.title': 'Diese Anmeldung lässt sich nicht abschließen',
  'signIn.check_failed.text':
    'Die Antwort passt nicht zu der Anmeldung, die hier begonnen wurde, und wurde deshalb nicht angenommen. Bitte neu beginnen.',
  'signIn.provider_unavailable.title': 'Die Anmeldung ist gerade nicht verfügbar',
  'signIn.provider_unavailable.text': 'Zitadel ist nicht erreichbar. Bitte in einer Minute erneut versuchen.',
  'signIn.provider_misconfigured.title': 'Die Anmeldung ist nicht richtig eingerichtet',
  'signIn.provider_misconfigured.text':
    'Diese Anwendung und Zitadel passen nicht zusammen. Ein neuer Versuch hilft nicht. Die Betreiber finden den Grund im Log der Anwendung.',
  'signIn.id_token_invalid.title': 'Ihr Identitätsnachweis wurde nicht akzeptiert',
  'signIn.id_token_invalid.text':
    'Was Zitadel gesendet hat, hielt der Prüfung nicht stand. Deshalb wurde niemand angemeldet. Die Betreiber finden den Grund im Log der Anwendung.',
  'signIn.userinfo_mismatch.title': 'Zitadel sprach von zwei Personen',
  'signIn.userinfo_mismatch.text':
    'Die Angaben über Sie gehören zu jemand anderem. Deshalb wurde niemand angemeldet. Die Betreiber finden den Grund im Log der Anwendung.',
  'signIn.session_too_large.title': 'Ihr Konto ist zu umfangreich',
  'signIn.session_too_large.text':
    'Zitadel sagt mehr über Sie, als in eine Sitzung hier passt. Wer diese Anwendung betreibt, kann weniger anfordern.',
  'signIn.login_too_old.title': 'Hier ist eine frische Anmeldung nötig',
  'signIn.login_too_old.text':
    'Zitadel hat nicht bestätigt, dass Sie sich gerade eben ausgewiesen haben, obwohl danach gefragt war. Bitte abmelden und die Seite dann noch einmal öffnen.',
  'signIn.organization_unknown.title': 'Diese Organisation ist nicht bekannt',
  'signIn.organization_unknown.text':
    'Dieser Link ist für die Mitglieder einer Organisation gedacht, und Zitadel kennt keine mit diesem Namen oder dieser Nummer. Bitte fragen Sie, wer Ihnen den Link gegeben hat.',
  'signIn.organization_mismatch.title': 'Sie gehören zu einer anderen Organisation',
  'signIn.organization_mismatch.text':
    'Diese Anmeldung war für die Mitglieder einer Organisation, und Ihr Konto gehört nicht dazu. Niemand wurde angemeldet. Haben Sie dort ein Konto, öffnen Sie den Link noch einmal und wählen Sie es aus.',
  'signIn.provider_error.title': 'Zitadel hat die Anmeldung abgelehnt',
  'signIn.provider_error.text':
    'Zwischen dieser Anwendung und Zitadel ist etwas schiefgegangen. Die Betreiber finden den Grund im Log der Anwendung.',
  'signIn.unknown.title': 'Etwas ist schiefgegangen',
  'signIn.unknown.text':
    'Bitte neu beginnen. Passiert es noch einmal, bitte den Betreibern dieser Anwendung Bescheid geben.',

  'signOut.state_missing.title': 'Hier sind Sie abgemeldet',
  'signOut.state_missing.text':
    'Die Antwort von Zitadel ließ nicht erkennen, zu welcher Abmeldung sie gehört. Ob Sie auch dort abgemeldet sind, ist deshalb unklar.',
  'signOut.state_mismatch.title': 'Hier sind Sie abgemeldet',
  'signOut.state_mismatch.text':
    'Die Antwort von Zitadel gehörte zu keiner Abmeldung in diesem Browser. Ob Sie auch dort abgemeldet sind, ist deshalb unklar.',
  'signOut.provider_unavailable.title': 'Hier sind Sie abgemeldet',
  'signOut.provider_unavailable.text':
    'Zitadel konnte nicht mitgeteilt werden, dass Sie sich abgemeldet haben; vielleicht sind Sie dort noch angemeldet. Bitte den Browser schließen, falls auch andere ihn benutzen.',
  'signOut.others_not_ended.title': 'Hier sind Sie abgemeldet, anderswo vielleicht nicht',
  'signOut.others_not_ended.text':
    'Ihre Sitzungen in anderen Browsern konnten nicht beendet werden, und bei Zitadel besteht Ihre Sitzung vielleicht noch. Bitte in einer Minute anmelden und es noch einmal versuchen.',
};
