import { idFor } from '../storage/ids.js';

/** An organization, which owns users and grants them roles. */
export interface Organization {
  id: string;
  name: string;
  primaryDomain: string;
}

/** The specification of an organization; everything but the name has a default. */
export interface OrganizationSpec {
  name: string;
  /** digits; default: derived from the name */
  id?: string;
  /** default: made from the name */
  primaryDomain?: string;
}

const known: readonly Required<OrganizationSpec>[] = [
  { name: 'Acme', id: '320000000000000001', primaryDomain: 'acme.example' },
  { name: 'Globex', id: '320000000000000002', primaryDomain: 'globex.example' },
];

/** The organizations of a sandbox. `named` creates an organization that does not exist yet. */
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

  remove(name: string): void {
    this.byName.delete(name);
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

// replaces spaces by hyphens and removes all but letters and digits: `Umlaut & Söhne GmbH` becomes `umlaut--söhne-gmbh`
function domainLabel(name: string): string {
  const label = name
    .trim()
    .toLowerCase()
    .replaceAll(' ', '-')
    .replaceAll(/[^\p{L}\p{N}-]/gu, '');
  return label === '' ? idFor(`organization ${name}`) : label;
}
