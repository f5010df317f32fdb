import type { Adapter, AdapterPayload } from 'oidc-provider';
import { nowSeconds } from './ids.js';

const purgeAbove = 5000;
const done = Promise.resolve();

/** Where oidc-provider's models live: in memory, one map per model, gone with the process. */
export class MemoryStore {
  private readonly models = new Map<string, Map<string, AdapterPayload>>();

  readonly adapterFor = (model: string): Adapter => new MemoryAdapter(this.entriesOf(model));

  /** Ends everything of that model that `matches`. */
  remove(model: string, matches: (payload: AdapterPayload) => boolean = () => true): void {
    const entries = this.entriesOf(model);
    for (const [id, payload] of entries) if (matches(payload)) entries.delete(id);
  }

  private entriesOf(model: string): Map<string, AdapterPayload> {
    const known = this.models.get(model);
    if (known) return known;
    const entries = new Map<string, AdapterPayload>();
    this.models.set(model, entries);
    return entries;
  }
}

class MemoryAdapter implements Adapter {
  constructor(private readonly entries: Map<string, AdapterPayload>) {}

  upsert(id: string, payload: AdapterPayload): Promise<void> {
    if (this.entries.size > purgeAbove) this.purge();
    this.entries.set(id, payload);
    return done;
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.entries.get(id));
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.first((payload) => payload.uid === uid));
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.first((payload) => payload.userCode === userCode));
  }

  consume(id: string): Promise<void> {
    const payload = this.entries.get(id);
    if (payload) payload.consumed = nowSeconds();
    return done;
  }

  destroy(id: string): Promise<void> {
    this.entries.delete(id);
    return done;
  }

  revokeByGrantId(grantId: string): Promise<void> {
    for (const [id, payload] of this.entries) if (payload.grantId === grantId) this.entries.delete(id);
    return done;
  }

  private first(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    return [...this.entries.values()].find(matches);
  }

  private purge(): void {
    const now = nowSeconds();
    for (const [id, payload] of this.entries) if ((payload.exp ?? Infinity) < now) this.entries.delete(id);
  }
}
