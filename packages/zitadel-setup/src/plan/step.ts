import type { Connection } from '../management/connect.js';

/** What a step did. */
export type Outcome = 'created' | 'changed' | 'unchanged';

/** One thing of a set-up, compared with what is there. */
export interface Step {
  /** kind and name, such as `project Shop` */
  what: string;
  /** what applying it would do */
  outcome: Outcome;
  /** what is to be changed, for people */
  details: string[];
  /** whether it is something that Zitadel may refuse, so that nothing changes */
  isTry?: boolean;
  /** Makes or changes it. Not called for what is as it should be. */
  apply(): Promise<Outcome>;
}

/** What is to be there in the end. */
export interface Wanted {
  project: string;
  roles: string[];
  grants: { loginName: string; role: string }[];
  webOrigin: string;
  redirectUri: string;
  postLogoutUri: string;
  /** undefined: back-channel logout is left as it is */
  backChannelUri: string | undefined;
  /** where Zitadel is to send events; undefined: targets and executions are left as they are */
  eventsUri: string | undefined;
  apiOrigin: string;
  /** where the key of the API application lies, or will */
  keyFile: string;
}

/** What the steps share. Ids become known as things are found or made. */
export interface World extends Connection {
  wanted: Wanted;
  projectId: string | undefined;
  /** by the name of the application */
  applications: Map<string, { applicationId: string; clientId: string }>;
  /** the key file of the API application, where a new one was made */
  newKey: string | undefined;
  /** the target for events, where there is one */
  eventTargetId: string | undefined;
  /** its signing key */
  eventsKey: string | undefined;
  /** what went another way than wanted, for people */
  warnings: string[];
  pollPausesMs: readonly number[];
}

export function unchanged(what: string): Step {
  return { what, outcome: 'unchanged', details: [], apply: () => Promise.resolve('unchanged') };
}

/** The id of a project that an earlier step has found or made. */
export function projectIdOf({ projectId }: World): string {
  if (projectId === undefined) throw new Error('The project comes before what is in it');
  return projectId;
}
