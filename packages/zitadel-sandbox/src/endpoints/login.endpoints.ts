import type { Endpoint } from '../call.js';
import { logoutPath } from '../pages/paths.js';
import { loginV1Endpoints } from './login-v1.endpoints.js';
import { loginV2Endpoints } from './login-v2.endpoints.js';
import { logout } from './logout.endpoint.js';

/** The login UIs, by path. */
export const loginEndpoints: Record<string, Endpoint> = {
  ...loginV1Endpoints,
  ...loginV2Endpoints,
  [logoutPath]: logout,
};
