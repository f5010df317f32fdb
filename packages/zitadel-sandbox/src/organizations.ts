import { idFor } from './ids.js';

/** An organization: owns users and grants them roles. */
export interface Organization {
  id: string;
  name: string;
  primaryDomain: string;
}

const acme: Organization = { id: '320000000000000001', name: 'Acme', primaryDomain: 'acme.example' };
const globex: Organization = {
  id: '320000000000000002',
  name: 'Globex',
  primaryDomain: 'globex.example',
};

/** The organization of that name; one the sandbox does not know yet gets an id and a domain made from the name. */
export function organizationNamed(name: string): Organization {
  const known = [acme, globex].find((organization) => organization.name === name);
  const slug = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return known ?? { id: idFor(`organization ${name}`), name, primaryDomain: `${slug}.example` };
}
