export {
  choice,
  flag,
  list,
  originList,
  port,
  proxies,
  seconds,
  trueOrFalse,
  webUrl,
  wholeNumber,
  YEAR_SECONDS,
} from './builders.js';
export { ConfigError, explain, type Problem } from './config-error.js';
export { loadEnvFile } from './env-file.js';
export { headersOf } from './headers-of.js';
export { isFromOperator } from './is-from-operator.js';
export { LeanExpressAdapter } from './lean-express.adapter.js';
export { observeRequests, type AnsweredRequest } from './observe-requests.js';
export { limitRate, type LimitedPaths } from './rate-limit.js';
export { requestId } from './request-id.js';
export { BodyNotJson, readBodies } from './read-bodies.js';
export { allowedMethods, routesOf, type Routes } from './routes.js';
export { serveAssets } from './serve-assets.js';
export { startProgram, type Program } from './start-program.js';
export { given, readVariables, type ValuesOf, type Variable } from './variable.js';
export { timeElement } from './views/time-element.js';
export { type Helpers } from './views/compile-view.js';
export { renderPages } from './views/render-pages.js';
export { utf8Bytes } from './views/utf8-bytes.js';
export { Views } from './views/views.js';
