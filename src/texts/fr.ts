import type { Texts } from './en.js';

/** French. */
export const fr: Texts = {
  'app.name': 'NestJS avec Zitadel',
  'app.description': 'Connexion avec Zitadel pour NestJS.',
  'app.skip': 'Aller au contenu',
  'app.footer': 'Connexion avec Zitadel via OpenID Connect. Aucun script, aucune page ne voit vos jetons.',

  'nav.label': 'Menu principal',
  'nav.profile': 'Profil',
  'nav.admin': 'Administration',
  'nav.login': 'Se connecter',
  'nav.logout': 'Se déconnecter',
  'nav.start': 'Vers l’accueil',

  'home.title': 'Bienvenue',
  'home.heading': 'La connexion : c’est fait, et bien fait.',
  'home.lead':
    'Une application NestJS dont les pages sont générées côté serveur. On s’y connecte avec Zitadel ; la session est conservée dans un cookie chiffré qu’aucun script ne peut lire.',
  'home.profile': 'Ouvrir votre profil',
  'home.signedInAs': 'Compte connecté : {name}',
  'home.register': 'Créer un compte',
  'home.public': 'Cette page est publique. Le profil ne l’est pas.',
  'home.flow.title': 'Code d’autorisation avec PKCE',
  'home.flow.text': 'Le flux que demandent les recommandations de sécurité OAuth, avec state et nonce.',
  'home.roles.title': 'Rôles et organisations',
  'home.roles.text': 'Les autorisations accordées dans Zitadel déterminent les pages accessibles.',
  'home.logout.title': 'Une vraie déconnexion',
  'home.logout.text': 'Ici et sur Zitadel, réponse vérifiée à l’appui.',

  'login.title': 'Connexion',
  'login.registerTitle': 'Créer un compte',
  'login.elsewhere': 'La suite se passe sur Zitadel, puis vous revenez ici.',
  'login.deepLink': 'La page demandée nécessite une connexion. Vous y reviendrez ensuite.',
  'login.lost':
    'Cette connexion ne peut pas revenir à la page demandée : son adresse est trop longue ou n’est plus connue. Elle mène à {page}.',
  'login.button': 'Continuer avec Zitadel',
  'login.registerButton': 'Créer un compte',
  'login.stay': 'Continuer sans rien changer',
  'login.back': 'Retour à l’accueil',

  'ended.refresh_rejected':
    'Votre session est terminée, car Zitadel ne la renouvelle plus : elle y est restée trop longtemps inutilisée, ou a été fermée. Veuillez vous reconnecter.',
  'ended.revoked':
    'Votre session ici a été fermée ailleurs ou par Zitadel. Ce navigateur est peut-être encore connecté à Zitadel ; il vous y sera donc demandé qui vous êtes.',
  'ended.unusable':
    'Votre session est terminée, car elle n’a pas pu être renouvelée. Veuillez vous reconnecter.',
  'ended.no_refresh':
    'Vous avez été déconnecté, car votre jeton d’accès a expiré et cette application ne peut pas le renouveler. Veuillez vous reconnecter.',

  'profile.title': 'Votre profil',
  'profile.emailVerified': 'vérifiée',
  'profile.emailUnverified': 'non vérifiée',
  'profile.organization': 'Organisation',
  'profile.noOrganization': 'Zitadel n’en a indiqué aucune.',
  'profile.roles': 'Rôles',
  'profile.grantedBy': 'accordé par {organizations}',
  'profile.noRoles': 'Vous n’avez aucun rôle dans ce projet.',
  'profile.account': 'Compte',
  'profile.loginName': 'Nom de connexion',
  'profile.userId': 'Identifiant utilisateur',
  'profile.metadata': 'Métadonnées',
  'profile.session': 'Session',
  'profile.signedInAt': 'Connexion',
  'profile.signedInHow': 'Méthode de connexion',
  'profile.renewedAt': 'Jeton d’accès renouvelé',
  'profile.idleEnd': 'Fin en cas d’inactivité',
  'profile.absoluteEnd': 'Fin au plus tard',
  'profile.everywhere': 'Se déconnecter partout',
  'profile.everywhereText':
    'Met fin à vos sessions de cette application dans tous les navigateurs, y compris celui-ci. Les autres navigateurs restent connectés à Zitadel ; ici, il faudra s’y reconnecter.',
  'profile.api': 'API',
  'profile.apiText':
    'Cette application appelle son API pour vous, avec votre jeton d’accès, de serveur à serveur.',
  'profile.apiButton': 'Appeler l’API',
  'profile.claims': 'Ce que Zitadel a dit lors de la connexion',
  'profile.claimsText': 'Les claims de votre jeton d’identité, avec les mots de Zitadel et avec les nôtres.',
  'profile.claim': 'Claim',
  'profile.value': 'Valeur',
  'profile.live': 'Ce que Zitadel dit en ce moment',
  'profile.liveText': 'Demandé pour vous à l’instant, auprès de l’endpoint userinfo de Zitadel.',
  'profile.liveButton': 'Interroger Zitadel',
  'profile.liveWaiting': 'Interrogation de Zitadel…',
  'profile.liveDone': 'Voilà ce que dit Zitadel.',
  'profile.liveFailed': 'Zitadel n’a pas répondu. Le reste de cette page n’en est pas affecté.',
  'profile.json': 'Au format JSON',

  'how.pwd': 'mot de passe',
  'how.otp': 'code à usage unique',
  'how.user': 'clé d’accès ou clé de sécurité',
  'how.mfa': 'plusieurs facteurs',
  'how.unknown': 'fournisseur d’identité externe',

  'claim.iss': 'Qui dit tout cela : l’adresse de Zitadel.',
  'claim.sub': 'Votre identifiant utilisateur : la seule donnée à votre sujet qui ne change jamais.',
  'claim.aud': 'À qui le jeton est destiné : les applications du projet, et le projet lui-même.',
  'claim.azp': 'L’application qui a fait la demande.',
  'claim.client_id': 'L’application qui a fait la demande, encore une fois.',
  'claim.exp': 'Quand le jeton expire.',
  'claim.iat': 'Quand le jeton a été émis.',
  'claim.nbf': 'À partir de quand le jeton est valable.',
  'claim.jti': 'Le nom de ce jeton précis.',
  'claim.act': 'Qui agit en votre nom.',
  'claim.acr': 'La force de la preuve de votre identité.',
  'claim.groups': 'Les groupes dont vous faites partie.',
  'claim.auth_time': 'Quand vous avez prouvé votre identité pour la dernière fois.',
  'claim.updated_at': 'Quand votre profil a été modifié pour la dernière fois.',
  'claim.nonce': 'Une valeur aléatoire qui lie le jeton à cette connexion.',
  'claim.at_hash': 'Lie le jeton au jeton d’accès qui l’accompagnait.',
  'claim.sid': 'La session sur Zitadel.',
  'claim.amr': 'Comment vous avez prouvé votre identité.',
  'claim.name': 'Votre nom complet.',
  'claim.given_name': 'Votre prénom.',
  'claim.family_name': 'Votre nom de famille.',
  'claim.nickname': 'Le nom que vous donnent vos amis.',
  'claim.gender': 'Votre genre, si vous l’avez indiqué à Zitadel.',
  'claim.locale': 'La langue que vous avez choisie sur Zitadel.',
  'claim.picture': 'Où se trouve votre photo.',
  'claim.preferred_username': 'Votre nom de connexion.',
  'claim.email': 'Votre adresse e-mail.',
  'claim.email_verified': 'Indique si Zitadel a vérifié que l’adresse est bien la vôtre.',
  'claim.phone_number': 'Votre numéro de téléphone.',
  'claim.phone_number_verified': 'Indique si Zitadel a vérifié que le numéro est bien le vôtre.',
  'claim.roles': 'Vos rôles dans le projet de cette application, avec les organisations qui les accordent.',
  'claim.projectRoles': 'Vos rôles dans le projet {project}, avec les organisations qui les accordent.',
  'claim.organizationId': 'L’organisation à laquelle vous appartenez.',
  'claim.organizationName': 'Le nom de votre organisation.',
  'claim.organizationDomain': 'Le domaine principal de votre organisation.',
  'claim.organizationAsked': 'L’organisation visée par cette connexion.',
  'claim.metadata':
    'Ce que votre organisation a noté à votre sujet. Zitadel l’envoie encodé ; ici, c’est lisible.',
  'claim.custom': 'Un claim ajouté par votre instance de Zitadel.',

  'api.good': 'L’API a répondu',
  'api.none.title': 'L’API ne répond pas',
  'api.none.text': 'Elle est injoignable. Veuillez réessayer dans une minute.',
  'api.refused.title': 'L’API a refusé l’accès',
  'api.refused.text':
    'Elle n’accepte pas votre jeton d’accès, alors que Zitadel l’accepte. Le jeton n’est très probablement pas destiné au projet de l’API.',
  'api.tooLong.title': 'L’API a refusé l’accès',
  'api.tooLong.text':
    'Votre jeton d’accès est plus long que ce que l’API lit. C’est très probablement un JWT avec de très nombreux rôles : les jetons opaques sont courts.',
  'api.login.title': 'L’API demande une connexion récente',
  'api.login.text':
    'Vous y êtes connu, mais votre connexion est trop ancienne. Un nouveau jeton d’accès n’y change rien.',
  'api.login.button': 'Se connecter de nouveau',
  'api.forbidden.title': 'L’API a refusé l’accès',
  'api.forbidden.text': 'Elle vous connaît, mais il manque une autorisation.',
  'api.unavailable.title': 'L’API ne peut pas vérifier votre identité pour le moment',
  'api.unavailable.text':
    'Zitadel ne lui dit pas si votre jeton d’accès est valide. Veuillez réessayer dans une minute.',
  'api.unexpected.title': 'Réponse inattendue de l’API',
  'api.unexpected.text': 'Les responsables de cette application doivent s’en occuper.',

  'admin.title': 'Administration',
  'admin.text': 'Seules les personnes ayant le rôle « admin » voient cette page. Vos rôles :',

  'signedOut.title': 'Déconnexion',
  'signedOut.heading': 'Déconnexion réussie',
  'signedOut.here':
    'Votre session ici est fermée. Zitadel ne permet pas de fermer la sienne depuis cette application.',
  'signedOut.user': 'Votre session ici est fermée, ainsi que la session sur Zitadel dont elle provenait.',
  'signedOut.everywhere':
    'Vos sessions de cette application sont fermées dans tous les navigateurs, et votre session sur Zitadel dans celui-ci. Dans d’autres navigateurs, elle est peut-être encore ouverte.',
  'signedOut.before':
    'Vous étiez déjà déconnecté ici : il n’y avait plus rien à fermer. Votre session sur Zitadel est peut-être encore ouverte.',
  'signedOut.choice': 'Se déconnecter de Zitadel',
  'signedOut.again': 'Se reconnecter',

  'notice.reference': 'Si vous demandez de l’aide, indiquez la référence {reference}.',
  'notice.address': 'Ouvrez cette application à sa propre adresse :',
  'notice.startAgain': 'Recommencer',

  'error.400.title': 'Cette requête n’est pas valide',
  'error.400.text': 'Quelque chose ne va pas dans l’adresse ou le formulaire.',
  'error.401.title': 'Veuillez vous connecter',
  'error.401.text': 'Cette page est réservée aux personnes connectées.',
  'error.403.title': 'Accès refusé',
  'error.403.text': 'La connexion ne suffit pas : il faut ici une autorisation que vous n’avez pas.',
  'error.404.title': 'Page introuvable',
  'error.404.text': 'Il n’y a rien à cette adresse.',
  'error.405.title': 'Cela ne fonctionne pas ici',
  'error.405.text': 'Cette adresse ne peut pas être utilisée de cette façon.',
  'error.413.title': 'C’est trop volumineux',
  'error.413.text': 'La requête dépasse la taille acceptée par cette application.',
  'error.429.title': 'Un instant, s’il vous plaît',
  'error.429.text':
    'Il y a eu trop de connexions depuis votre réseau en peu de temps. Veuillez réessayer dans une minute.',
  'error.500.title': 'Une erreur s’est produite',
  'error.500.text': 'Vous n’y êtes pour rien. Veuillez réessayer plus tard.',
  'error.502.title': 'Réponse inattendue de Zitadel',
  'error.502.text': 'Les responsables de cette application doivent s’en occuper.',
  'error.503.title': 'Zitadel est injoignable',
  'error.503.text': 'Réessayez dans une minute. Votre session reste ouverte.',
  'error.AUTH_ROLES_REQUIRED.title': 'Accès refusé',
  'error.AUTH_ROLES_REQUIRED.text': 'La connexion ne suffit pas : il faut ici un rôle que vous n’avez pas.',
  'roles.readAt': 'Vos rôles ont été lus sur Zitadel pour la dernière fois :',
  'roles.readAgain': 'Les relire',
  'roles.newRole':
    'Un rôle créé sur Zitadel après votre connexion ne compte qu’une fois que vous vous êtes reconnecté.',
  'error.AUTH_CSRF_COOKIE_MISSING.title': 'Votre navigateur n’a envoyé aucun cookie',
  'error.AUTH_CSRF_COOKIE_MISSING.text':
    'Autorisez les cookies pour ce site, puis rechargez la page et réessayez.',
  'error.AUTH_CSRF_TOKEN_INVALID.title': 'Le formulaire n’est plus valable',
  'error.AUTH_CSRF_TOKEN_INVALID.text': 'Revenez en arrière, rechargez la page et réessayez.',
  'error.AUTH_CROSS_SITE_REQUEST.title': 'Ce formulaire vient d’ailleurs',
  'error.AUTH_CROSS_SITE_REQUEST.text':
    'Un autre site l’a fait envoyer par votre navigateur ; rien n’a donc été fait. Ouvrez l’application elle-même et réessayez.',
  'error.AUTH_SESSIONS_UNAVAILABLE.title': 'Votre session ne peut pas être vérifiée pour le moment',
  'error.AUTH_SESSIONS_UNAVAILABLE.text':
    'Elle n’est pas fermée pour autant. Veuillez réessayer dans une minute.',
  'error.AUTH_UNKNOWN_ISSUER.title': 'Ce lien concerne un autre fournisseur d’identité',
  'error.AUTH_UNKNOWN_ISSUER.text':
    'Il désigne un fournisseur d’identité que cette application n’utilise pas. Vous pouvez vous connecter depuis l’accueil.',
  'error.ZITADEL_ACCESS_TOKEN_REJECTED.title': 'Zitadel refuse votre session en ce moment',
  'error.ZITADEL_ACCESS_TOKEN_REJECTED.text':
    'Veuillez réessayer dans quelques secondes. Si votre session est terminée, il vous sera demandé de vous connecter.',
  'error.ZITADEL_REFRESH_IN_DOUBT.title': 'Votre session ne peut pas être renouvelée en ce moment',
  'error.ZITADEL_REFRESH_IN_DOUBT.text': 'Veuillez réessayer dans une minute. Vous restez connecté.',
  'error.ZITADEL_MISCONFIGURED.title': 'La connexion est mal configurée',
  'error.ZITADEL_MISCONFIGURED.text':
    'Cette application et Zitadel ne s’accordent pas. Les responsables de l’application en trouveront la raison dans son journal.',

  'signIn.access_denied.title': 'La connexion a été annulée',
  'signIn.access_denied.text':
    'Zitadel vous a refusé l’accès, ou vous avez changé d’avis. Il ne s’est rien passé.',
  'signIn.user_locked.title': 'Votre compte est verrouillé',
  'signIn.user_locked.text':
    'Zitadel l’a verrouillé. Ses administrateurs peuvent le déverrouiller ; reconnectez-vous ensuite.',
  'signIn.user_not_found.title': 'Votre compte n’existe plus',
  'signIn.user_not_found.text':
    'Zitadel ne le connaît plus. Adressez-vous à ses administrateurs, ou connectez-vous avec un autre compte.',
  'signIn.interaction_required.title': 'Zitadel doit d’abord vous poser une question',
  'signIn.interaction_required.text':
    'La connexion devait se faire sans question, et ce n’est pas possible pour le moment. Recommencez et répondez à ce que demande Zitadel.',
  'signIn.login_timed_out.title': 'Cela a pris trop de temps',
  'signIn.login_timed_out.text': 'Une connexion doit aboutir en un quart d’heure. Veuillez recommencer.',
  'signIn.login_already_used.title': 'Cette connexion est déjà terminée',
  'signIn.login_already_used.text':
    'Son lien ne fonctionne qu’une fois. Votre session est peut-être déjà ouverte : allez à l’accueil, ou recommencez.',
  'signIn.cookie_missing.title': 'Votre navigateur n’a envoyé aucun cookie',
  'signIn.cookie_missing.text':
    'Sans cookies, personne ne peut rester connecté ici. Autorisez-les pour ce site, puis recommencez.',
  'signIn.other_browser.title': 'Cette connexion a commencé ailleurs',
  'signIn.other_browser.text':
    'Elle a été lancée dans un autre navigateur ou une autre fenêtre, ou ses cookies ont été supprimés. Veuillez recommencer ici.',
  'signIn.state_invalid.title': 'Ce lien est incomplet',
  'signIn.state_invalid.text':
    'L’adresse ne correspond à aucune connexion lancée ici ; une partie s’est peut-être perdue. Veuillez recommencer.',
  'signIn.check_failed.title': 'Cette connexion ne peut pas aboutir',
  'signIn.check_failed.text':
    'La réponse ne correspond pas à la connexion lancée ici ; elle n’a donc pas été acceptée. Veuillez recommencer.',
  'signIn.provider_unavailable.title': 'La connexion est indisponible pour le moment',
  'signIn.provider_unavailable.text': 'Zitadel est injoignable. Veuillez réessayer dans une minute.',
  'signIn.provider_misconfigured.title': 'La connexion est mal configurée',
  'signIn.provider_misconfigured.text':
    'Cette application et Zitadel ne s’accordent pas. Réessayer n’y changera rien. Les responsables de l’application en trouveront la raison dans son journal.',
  'signIn.id_token_invalid.title': 'Votre preuve d’identité n’a pas été acceptée',
  'signIn.id_token_invalid.text':
    'Ce que Zitadel a envoyé n’a pas résisté à la vérification ; aucune session n’a donc été ouverte. Les responsables de l’application en trouveront la raison dans son journal.',
  'signIn.userinfo_mismatch.title': 'Zitadel a parlé de deux personnes',
  'signIn.userinfo_mismatch.text':
    'Ce qu’il dit de vous concerne quelqu’un d’autre ; aucune session n’a donc été ouverte. Les responsables de l’application en trouveront la raison dans son journal.',
  'signIn.session_too_large.title': 'Votre compte prend trop de place',
  'signIn.session_too_large.text':
    'Zitadel en dit plus sur vous qu’une session ne peut en contenir ici. Les responsables de cette application peuvent en demander moins.',
  'signIn.login_too_old.title': 'Une connexion récente est nécessaire',
  'signIn.login_too_old.text':
    'Zitadel n’a pas confirmé que vous venez de prouver votre identité, alors que cela lui était demandé. Déconnectez-vous, puis ouvrez la page de nouveau.',
  'signIn.organization_unknown.title': 'Cette organisation est inconnue',
  'signIn.organization_unknown.text':
    'Ce lien s’adresse aux membres d’une organisation, et Zitadel n’en connaît aucune de ce nom ou de ce numéro. Demandez à qui vous a donné ce lien.',
  'signIn.organization_mismatch.title': 'Vous appartenez à une autre organisation',
  'signIn.organization_mismatch.text':
    'Cette connexion était réservée aux membres d’une organisation, dont votre compte ne fait pas partie. Aucune session n’a été ouverte. Si vous y avez un compte, ouvrez le lien de nouveau et choisissez-le.',
  'signIn.provider_error.title': 'Zitadel a refusé la connexion',
  'signIn.provider_error.text':
    'Un problème est survenu entre cette application et Zitadel. Les responsables de l’application en trouveront la raison dans son journal.',
  'signIn.unknown.title': 'Une erreur s’est produite',
  'signIn.unknown.text':
    'Veuillez recommencer. Si cela se reproduit, prévenez les responsables de cette application.',

  'signOut.state_missing.title': 'Votre session ici est fermée',
  'signOut.state_missing.text':
    'La réponse de Zitadel n’indiquait pas de quelle déconnexion il s’agissait. Impossible donc de savoir si votre session sur Zitadel est fermée, elle aussi.',
  'signOut.state_mismatch.title': 'Votre session ici est fermée',
  'signOut.state_mismatch.text':
    'La réponse de Zitadel ne correspondait à aucune déconnexion de ce navigateur. Impossible donc de savoir si votre session sur Zitadel est fermée, elle aussi.',
  'signOut.provider_unavailable.title': 'Votre session ici est fermée',
  'signOut.provider_unavailable.text':
    'Zitadel n’a pas pu être informé de votre déconnexion ; votre session y est peut-être encore ouverte. Fermez le navigateur si d’autres l’utilisent.',
  'signOut.others_not_ended.title': 'Votre session ici est fermée, mais peut-être pas les autres',
  'signOut.others_not_ended.text':
    'Vos sessions dans d’autres navigateurs n’ont pas pu être fermées, et celle sur Zitadel est peut-être encore ouverte. Reconnectez-vous dans une minute et réessayez.',
};
