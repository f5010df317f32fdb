import type { Endpoint } from '../call.js';
import { startPage } from '../pages/start.page.js';

/** `GET /`: says what this is, for people who open the address in a browser. */
export const start: Endpoint = ({ ctx }, { issuer, applications, directory }) => {
  ctx.type = 'html';
  ctx.body = startPage(issuer, directory.people, applications.web.initiateLoginUri);
};
