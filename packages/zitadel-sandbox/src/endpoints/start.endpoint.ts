import type { Endpoint } from '../call.js';
import { answerHtml } from '../html-answer.js';
import { startPage } from '../pages/start.page.js';

/** `GET /`: says what this is, for people who open the address in a browser. */
export const start: Endpoint = ({ ctx }, { issuer, applications, directory }) => {
  answerHtml(ctx, startPage(issuer, directory.people, applications.web.initiateLoginUri));
};
