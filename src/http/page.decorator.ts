import type { AuthenticatedRequest } from '@mridang/nestjs-auth';
import {
  applyDecorators,
  Header,
  Injectable,
  Render,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Response } from 'express';
import { mergeMap, type Observable } from 'rxjs';
import { PageFrame, type Frame } from './page-frame.js';

/** Renders `views/pages/<view>.hbs` from the handler's view model; the frame comes with it. Never cached. */
export const Page = (view: string) =>
  applyDecorators(Render(view), Header('Cache-Control', 'no-store'), UseInterceptors(PageInterceptor));

@Injectable()
class PageInterceptor implements NestInterceptor<object, object & { frame: Frame }> {
  constructor(private readonly frame: PageFrame) {}

  intercept(context: ExecutionContext, next: CallHandler<object>): Observable<object & { frame: Frame }> {
    const http = context.switchToHttp();
    const frame = () => this.frame.of(http.getRequest<AuthenticatedRequest>(), http.getResponse<Response>());
    return next.handle().pipe(mergeMap(async (model) => ({ ...model, frame: await frame() })));
  }
}
