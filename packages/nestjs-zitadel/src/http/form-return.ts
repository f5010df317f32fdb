import { localPath, ReturnTargets, type AuthenticatedRequest } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

/** The page that a form of a signed-in user leads back to. */
@Injectable()
export class FormReturn {
  constructor(
    private readonly returns: ReturnTargets,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  /**
   * Returns the address of the page. A long one does not fit into a response together with the session cookie: it is first stored in a
   * cookie, with a redirect that repeats the request, and `undefined` says that this response was sent.
   *
   * @param wanted field of the form
   */
  addressFor(
    wanted: unknown,
    request: Request & AuthenticatedRequest,
    response: Response,
  ): string | undefined {
    const { origin, mountPath, postLoginPath } = this.options;
    const target = localPath(wanted, origin, mountPath) ?? postLoginPath;
    const address = this.returns.addressFor(target, request, response) ?? postLoginPath;
    if (address === target || 'stored' in request.query) return address;
    response.redirect(307, `${mountPath}${request.path}?stored`);
    return undefined;
  }
}
