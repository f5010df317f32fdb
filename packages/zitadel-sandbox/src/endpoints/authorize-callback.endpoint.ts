import type { Endpoint } from '../call.js';
import { answerText } from '../fixed-answers.js';

const badRequest = 400;

/**
 * `/oauth/v2/authorize/callback`: where Zitadel's own login UI sends the browser when it is done. The sandbox's
 * sends it to the application at once, so no request is ever waiting here.
 */
export const authorizeCallback: Endpoint = ({ ctx, params }) => {
  answerText(
    ctx,
    badRequest,
    params['id']
      ? 'ID=CACHE-d24aD Message=Errors.AuthRequest.NotFound Parent=(sql: no rows in result set)'
      : 'auth request callback is missing id',
  );
};
