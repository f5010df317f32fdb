import { randomBytes } from 'node:crypto';
import { newId } from '../storage/ids.js';

/** How a target is called; `restAsync` is not waited for. */
export type TargetType = { restWebhook: object } | { restCall: object } | { restAsync: object };

/** An endpoint that Zitadel calls (Actions v2). */
export interface Target {
  id: string;
  name: string;
  type: TargetType;
  /** such as `10s` */
  timeout: string;
  endpoint: string;
  payloadType: string | undefined;
  signingKey: string;
}

/** When targets are called: for a single event, a group or all events; the sandbox stores other conditions, too. */
export interface Condition {
  event?: { event?: string; group?: string; all?: boolean };
  function?: { name?: string };
  request?: object;
  response?: object;
}

export interface Execution {
  condition: Condition;
  targetIds: string[];
}

const keyLength = 36;

export function newSigningKey(): string {
  return randomBytes(keyLength).toString('base64url').slice(0, keyLength);
}

/** The targets and executions of an instance. */
export class Actions {
  readonly targets: Target[] = [];
  executions: Execution[] = [];

  add(target: Omit<Target, 'id' | 'signingKey'>): Target {
    const added = { ...target, id: newId(), signingKey: newSigningKey() };
    this.targets.push(added);
    return added;
  }

  remove(id: string): void {
    this.targets.splice(0, Infinity, ...this.targets.filter((target) => target.id !== id));
  }

  /** Replaces the targets of a condition; without any it removes the execution. */
  set(condition: Condition, targetIds: string[]): Execution {
    const known = this.executions.find((one) => JSON.stringify(one.condition) === JSON.stringify(condition));
    const execution = known ?? { condition, targetIds };
    execution.targetIds = targetIds;
    this.executions = this.executions.filter((one) => one !== execution);
    if (targetIds.length > 0) this.executions.push(execution);
    return execution;
  }

  /** The targets of the best match alone: a single event before a group, a group before all events. */
  targetsOf(type: string): Target[] {
    const events = this.executions.flatMap(({ condition: { event }, targetIds }) =>
      event ? [{ ...event, targetIds }] : [],
    );
    const groups = events
      .filter(({ group }) => group !== undefined && type.startsWith(`${group}.`))
      .sort((one, other) => (other.group?.length ?? 0) - (one.group?.length ?? 0));
    const best = events.find(({ event }) => event === type) ?? groups[0] ?? events.find(({ all }) => all);
    return (best?.targetIds ?? []).flatMap((id) => this.targets.find((target) => target.id === id) ?? []);
  }
}
