export { loginAs, type LoginOptions, type TestClaims } from './login-as.js';
export type { TestSession } from './test-session.js';
export { replaceRefresh, type RefreshResult } from './replace-refresh.js';
