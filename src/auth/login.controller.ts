import {
  CsrfService,
  isClickHere,
  localPath,
  Public,
  requestTarget,
  ReturnTargets,
  SessionService,
  SignIn,
  type AuthenticatedRequest,
  type SessionEnd,
  type SignInFailure,
} from '@mridang/nestjs-auth';
import { Controller, Get, Inject, Query, Render, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import type { TextKey } from '../texts/en.js';
import { languageFor, type Language } from '../texts/language.js';
import { isTextKey, text } from '../texts/text.js';
import { nameOf } from '../web/page-frame.js';
import { LoginOrigin, phrasesOf, Refusals } from '@mridang/nestjs-zitadel';
import { signInFailureModel } from './sign-in-failure-page.js';

/** After a start the page waits for Zitadel's first answer, since `form-action` must name the origin of its login page. */
const LOGIN_ORIGIN_WAIT_MS = 1_000;

/** Login and error page. Sign-in itself is a form post to Auth.js. */
@Public()
@Controller('auth')
export class LoginController {
  constructor(
    private readonly csrf: CsrfService,
    private readonly sessions: SessionService,
    private readonly signIn: SignIn,
    private readonly returns: ReturnTargets,
    private readonly loginOrigin: LoginOrigin,
    private readonly refusals: Refusals,
    @Inject(ENV) private readonly env: Env,
  ) {}

  /**
   * Starts a sign-in by a link, which replaces the form while the origin of Zitadel's login page is unknown. Requires a click on this
   * site (Fetch Metadata); other requests get the login page with the form.
   */
  @Get('start')
  async start(
    @Query() query: Record<string, unknown>,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    const { callbackUrl, reason } = query;
    const wishes = this.wishesIn(query).map(({ name }) => [name, query[name]]);
    const params = { ...Object.fromEntries(wishes), reason: knownEnd(reason) } as Record<string, unknown>;
    if (isClickHere(request))
      await this.signIn.start(request, response, { returnTo: callbackUrl, params, status: 303 });
    else await this.show(query, request, response, { withForm: true });
  }

  @Get('login')
  async login(
    @Query() query: Record<string, unknown>,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    await this.loginOrigin.known(LOGIN_ORIGIN_WAIT_MS);
    return this.show(query, request, response, { withForm: !this.loginOrigin.isAwaited });
  }

  private async show(
    query: Record<string, unknown>,
    request: AuthenticatedRequest,
    response: Response,
    { withForm }: { withForm: boolean },
  ): Promise<void> {
    const wanted = localPath(query['callbackUrl'], this.env.origin, this.env.basePath);
    const wishes = this.wishesIn(query);
    const prompt = wishes.find(({ name }) => name === 'prompt')?.value;
    // Parameters ask for another account or a fresh login, so the page is shown to signed-in people as well.
    const isDone = request.session && wishes.length === 0;
    if (isDone && wanted && this.returns.isLong(wanted)) this.returns.makeRoom(response);
    const asked =
      isDone || wanted === undefined ? wanted : this.returns.addressFor(wanted, request, response);
    const isLost = asked === undefined && (wanted !== undefined || query['callbackUrl'] === '');
    const callbackUrl = asked ?? this.env.zitadel.postLoginPath;
    if (isDone) response.redirect(callbackUrl);
    else if (asked !== undefined && asked !== wanted) {
      // The cookie of a long address does not fit beside the header fields of a page.
      const { searchParams } = new URL(requestTarget(request), this.env.origin);
      searchParams.set('callbackUrl', asked);
      response.redirect(`${this.env.basePath}/auth/login?${searchParams.toString()}`);
    } else {
      const ended = (await this.sessions.endOf(request, response)) ?? knownEnd(query['reason']);
      const fields = ended ? [...wishes, { name: 'reason', value: ended }] : wishes;
      const model: LoginPage = {
        callbackUrl,
        csrfToken: this.csrf.token(request, response),
        ended: ended && `ended.${ended}`,
        signedInAs: nameOf(request.session),
        passedOn: fields,
        startUrl: withForm
          ? undefined
          : startUrl(this.env.basePath, [{ name: 'callbackUrl', value: callbackUrl }, ...fields]),
        canRegister: this.env.hasRegistration && prompt === undefined,
        title: prompt === 'create' ? 'login.registerTitle' : 'login.title',
        lead: asked === undefined ? (isLost ? 'login.lost' : 'login.elsewhere') : 'login.deepLink',
        endsAt: this.env.zitadel.postLoginPath,
        isDeepLink: asked !== undefined,
      };
      response.render('login', model);
    }
  }

  private wishesIn(query: Record<string, unknown>): Field[] {
    const isKnown = ({ name, value }: Field) =>
      this.env.hasRegistration || name !== 'prompt' || value !== 'create';
    return passedOn(query).filter(isKnown);
  }

  @Get('error')
  @Render('sign-in-failed')
  error(
    @Query('reason') given: unknown,
    @Query('error') error: unknown,
    @Query('ref') reference: unknown,
    @Query('detail') detail: unknown,
    @Query('callbackUrl') callbackUrl: unknown,
    @Req() request: AuthenticatedRequest,
    @Res({ passthrough: true }) response: Response,
  ) {
    // Links of older versions have the reason as `error`, and Auth.js its own names.
    const reason = given ?? (error === 'AccessDenied' ? ('access_denied' satisfies SignInFailure) : error);
    // Anybody can open this address, so its status must not look like a server error.
    response.status(reason === ('access_denied' satisfies SignInFailure) ? 403 : 400);
    const language = languageFor(request.headers['accept-language']);
    const address = withoutItsCookies.includes(String(reason)) ? this.env.address : undefined;
    const returnTo = localPath(callbackUrl, this.env.origin, this.env.basePath);
    return {
      ...signInFailureModel(reason, { returnTo, isSignedIn: Boolean(request.session) }),
      address,
      ...this.failureIn(reference, language),
      factor: factorName(detail, language),
      accountUrl: reason === ('factor_missing' satisfies SignInFailure) && this.env.accountUrl,
      logoutToken:
        reason === ('login_too_old' satisfies SignInFailure) ? this.csrf.token(request, response) : undefined,
    };
  }

  /** Anybody can write the address, so only a well-formed reference is shown. */
  private failureIn(reference: unknown, language: Language) {
    if (typeof reference !== 'string' || !/^[0-9a-f]{12}$/.test(reference)) return {};
    const explanation = this.refusals.explanationOf(reference);
    return { reference, explanation: explanation && phrasesOf(explanation, language) };
  }
}

interface Field {
  name: string;
  value: string;
}

interface LoginPage {
  title: TextKey;
  lead: TextKey;
  /** where the sign-in ends when the requested page is too long an address */
  endsAt: string;
  /** the requested page; only the browser knows its fragment */
  isDeepLink: boolean;
  /** why the last session ended */
  ended: TextKey | undefined;
  /** name of the user who is signed in */
  signedInAs: string | undefined;
  callbackUrl: string;
  csrfToken: string;
  passedOn: Field[];
  /** target of the link that replaces the form */
  startUrl: string | undefined;
  canRegister: boolean;
}

const startUrl = (basePath: string, fields: readonly Field[]) =>
  `${basePath}/auth/start?${new URLSearchParams(fields.map(({ name, value }): [string, string] => [name, value])).toString()}`;

/** Parameters of the login page that go into the sign-in. `authorizationParams` checks their values. */
const passedOnNames = ['login_hint', 'prompt', 'ui_locales', 'max_age', 'organization'];

/** An invalid or doubled `organization` is passed on, so that the sign-in refuses it instead of dropping the restriction. */
const passedOn = (query: Record<string, unknown>) =>
  passedOnNames.flatMap((name) => {
    const values = [query[name]].flat().filter((value) => typeof value === 'string');
    return name === 'organization' || values.length === 1 ? values.map((value) => ({ name, value })) : [];
  });

/** Failures of a sign-in that was started at another address of this machine, such as 127.0.0.1. */
const withoutItsCookies: readonly string[] = ['cookie_missing', 'other_browser'] satisfies SignInFailure[];

const knownEnd = (reason: unknown) =>
  isTextKey(`ended.${String(reason)}`) ? (reason as SessionEnd) : undefined;

/** Names an authentication method (RFC 8176). Anybody can write the address, so only a well-formed one is shown. */
function factorName(method: unknown, language: Language): string {
  const name = typeof method === 'string' && /^[a-z\d]{1,32}$/i.test(method) ? method : 'mfa';
  const key = `how.${name}`;
  return isTextKey(key) ? text(language, key) : name;
}
