/** What a role of an administrator is for: the instance when both are left out. */
export interface AdministeredResource {
  organizationId?: string;
  projectId?: string;
}

/** The roles of a user in Zitadel's own administration (Zitadel: "administrator", "manager", "membership"). */
export interface Administrator {
  userId: string;
  resource: AdministeredResource;
  roles: string[];
}

export class Administrators {
  readonly all: Administrator[] = [];

  add(administrator: Administrator): void {
    this.all.push(administrator);
  }

  of(userId: string): Administrator[] {
    return this.all.filter((one) => one.userId === userId);
  }

  find(userId: string, { organizationId, projectId }: AdministeredResource): Administrator | undefined {
    return this.of(userId).find(
      ({ resource }) => resource.organizationId === organizationId && resource.projectId === projectId,
    );
  }
}
