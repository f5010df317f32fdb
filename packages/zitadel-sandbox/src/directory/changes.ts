interface Change {
  createdAt: Date;
  changedAt: Date;
  sequence: number;
  /** how many searches still show `before` */
  searchesLeft: number;
  before: object | undefined;
}

/** Dates of what the management API shows. Zitadel's searches lag behind its commands: `lag` is for how many searches. */
export class Changes {
  private readonly changes = new WeakMap<object, Change>();
  private readonly startedAt = new Date();

  constructor(private readonly lag: number) {}

  created(entity: object): void {
    const now = new Date();
    this.changes.set(entity, {
      createdAt: now,
      changedAt: now,
      sequence: 1,
      searchesLeft: this.lag,
      before: undefined,
    });
  }

  /** `before` is what searches showed until now. */
  changed(entity: object, before: object): void {
    const change = this.of(entity);
    change.changedAt = new Date();
    change.sequence += 1;
    if (change.searchesLeft > 0) return;
    change.searchesLeft = this.lag;
    change.before = before;
  }

  /** What a search shows of `entity`: `now()`, or what was there before; undefined when there was nothing. */
  seen<View extends object>(entity: object, now: () => View): View | undefined {
    const change = this.of(entity);
    if (change.searchesLeft === 0) return now();
    change.searchesLeft -= 1;
    return change.before as View | undefined;
  }

  dates(entity: object): { creationDate: string; changeDate: string } {
    const { createdAt, changedAt } = this.of(entity);
    return { creationDate: timestamp(createdAt), changeDate: timestamp(changedAt) };
  }

  sequence(entity: object): string {
    return String(this.of(entity).sequence);
  }

  private of(entity: object): Change {
    const known = this.changes.get(entity);
    if (known) return known;
    const { startedAt } = this;
    const first = {
      createdAt: startedAt,
      changedAt: startedAt,
      sequence: 1,
      searchesLeft: 0,
      before: undefined,
    };
    this.changes.set(entity, first);
    return first;
  }
}

/** RFC 3339 with microseconds, as Zitadel writes it. */
export function timestamp(date = new Date()): string {
  return date.toISOString().replace('Z', '000Z');
}
