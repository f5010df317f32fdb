export { startSandbox, type Sandbox, type SandboxClient, type SandboxKeyClient } from './sandbox.js';
export type { SandboxOptions } from './instance/sandbox.options.js';
export type { AuthMethod, WebClientOptions } from './directory/applications.js';
export type { EventDelivery } from './actions/events.js';
export type { BackChannelDelivery } from './sessions/back-channel-logout.js';
export type { ApplicationKeyFile, ServiceUserKeyFile } from './keys/key-file.js';
export type { RecordedRequest } from './http/request-log.js';
export type { Lifetimes } from './instance/instance.js';
export type { Organization, OrganizationSpec } from './directory/organizations.js';
export type {
  Authorization,
  ProjectGrant,
  RoleGrant,
  SandboxUser,
  UserSpec,
  UserState,
} from './directory/users.js';
export { defaultIds } from './directory/applications.js';
export { defaultPassword, defaultUsers } from './directory/users.js';
export { PortInUseError } from './http/listen.js';
export { readUsers, UserFileError } from './directory/user-file.js';
export { readyKey } from './keys/rsa-keys.js';
