import { applyDecorators, Header, Render } from '@nestjs/common';

/** Renders `views/pages/<view>.hbs` from the handler's view model. Never cached. */
export const Page = (view: string) => applyDecorators(Render(view), Header('Cache-Control', 'no-store'));
