import type { Adapter, AdapterPayload } from 'oidc-provider';
import { nowSeconds } from './ids.js';

const purgeAbove = 5000;

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

  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    if (this.entries.size > purgeAbove) this.purge();
    this.entries.set(id, payload);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.entries.get(id);
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.first((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.first((payload) => payload.userCode === userCode);
  }

  async consume(id: string): Promise<void> {
    const payload = this.entries.get(id);
    if (payload) payload.consumed = nowSeconds();
  }

  async destroy(id: string): Promise<void> {
    this.entries.delete(id);
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [id, payload] of this.entries) if (payload.grantId === grantId) this.entries.delete(id);
  }

  private first(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    return [...this.entries.values()].find(matches);
  }

  private purge(): void {
    const now = nowSeconds();
    for (const [id, payload] of this.entries) if ((payload.exp ?? Infinity) < now) this.entries.delete(id);
  }
}
