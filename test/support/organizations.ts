import type { Organization } from '@mridang/nestjs-zitadel';
import { defaultUsers, type SandboxOptions, type UserSpec } from 'zitadel-sandbox';

export const alpha = { name: 'Alpha', id: '300000000010000101', primaryDomain: 'alpha.example' };
export const beta = { name: 'Beta', id: '300000000010000102', primaryDomain: 'beta.example' };
export const home = { name: 'Home', id: '300000000010000103', primaryDomain: 'home.example' };

/** What a session says of an organization that is not the user's own. */
export const shown = ({ id, primaryDomain: domain }: typeof alpha): Organization => ({ id, domain });
export const shownWithName = ({ id, name, primaryDomain: domain }: typeof alpha): Organization => ({
  id,
  name,
  domain,
});

/** People, by what their organizations are to this project. */
export const members = {
  /** roles in the home organization and in another */
  atHome: 'hanna@alpha.example',
  /** roles in one organization, not the home organization */
  inOne: 'ines@home.example',
  /** roles in two organizations, neither of them the home organization */
  inTwo: 'tom@home.example',
  /** no roles */
  nowhere: 'nora@home.example',
};

const users: UserSpec[] = [
  {
    loginName: members.atHome,
    organization: 'Alpha',
    roles: ['editor'],
    grants: [{ organization: 'Beta', roles: ['admin'] }],
  },
  { loginName: members.inOne, organization: 'Home', grants: [{ organization: 'Beta', roles: ['admin'] }] },
  {
    loginName: members.inTwo,
    organization: 'Home',
    grants: [
      { organization: 'Alpha', roles: ['admin'] },
      { organization: 'Beta', roles: ['editor'] },
    ],
  },
  { loginName: members.nowhere, organization: 'Home' },
];

export const sandboxOfOrganizations: SandboxOptions = {
  organizations: [alpha, beta, home],
  users: [...defaultUsers, ...users],
};
