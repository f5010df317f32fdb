import { idFor } from '../storage/ids.js';

/** An organization: owns users and grants them roles. */
export interface Organization {
  id: string;
  name: string;
  primaryDomain: string;
}

/** What one says about an organization; all but the name has a default. */
export interface OrganizationSpec {
  name: string;
  /** digits; default: made from the name */
  id?: string;
  /** default: made from the name */
  primaryDomain?: string;
}

const known: readonly Required<OrganizationSpec>[] = [
  { name: 'Acme', id: '320000000000000001', primaryDomain: 'acme.example' },
  { name: 'Globex', id: '320000000000000002', primaryDomain: 'globex.example' },
];

/** All organizations of a sandbox, by name. One that is asked for the first time is made. */
export class Organizations {
  private readonly byName = new Map<string, Organization>();

  constructor(specs: readonly OrganizationSpec[] = []) {
    for (const spec of [...known, ...specs]) {
      this.byName.set(spec.name, { ...this.named(spec.name), ...spec });
    }
  }

  get all(): Organization[] {
    return [...this.byName.values()];
  }

  named(name: string): Organization {
    const organization = this.byName.get(name) ?? {
      id: idFor(`organization ${name}`),
      name,
      primaryDomain: `${domainLabel(name)}.example`,
    };
    this.byName.set(name, organization);
    return organization;
  }
}

// blanks become hyphens and what is neither letter nor digit goes: `Umlaut & Söhne GmbH` is `umlaut--söhne-gmbh`
function domainLabel(name: string): string {
  const label = name
    .trim()
    .toLowerCase()
    .replaceAll(' ', '-')
    .replaceAll(/[^\p{L}\p{N}-]/gu, '');
  return label === '' ? idFor(`organization ${name}`) : label;
}
