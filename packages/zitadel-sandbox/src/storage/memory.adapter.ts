import type { Adapter, AdapterPayload } from 'oidc-provider';
import { nowSeconds } from './now.js';

const insertsBetweenPurges = 1000;
const resolved = Promise.resolve();

/** The storage of oidc-provider's models: in memory, one set of entries per model. */
export class MemoryStore {
  private readonly models = new Map<string, Entries>();

  readonly adapterFor = (model: string): Adapter => new MemoryAdapter(this.entriesOf(model));

  /** The number of entries of that model, including expired ones that are not purged yet. */
  sizeOf(model: string): number {
    return this.entriesOf(model).size;
  }

  /** Calls `visit` for each entry of that model. */
  forEach(model: string, visit: (payload: AdapterPayload) => void): void {
    this.entriesOf(model).find((payload) => {
      visit(payload);
      return false;
    });
  }

  /** Deletes the entries of that model that match. */
  removeWhere(model: string, matches: (payload: AdapterPayload) => boolean): void {
    this.entriesOf(model).deleteWhere(matches);
  }

  /** Deletes the entries of that model that belong to this browser session. */
  removeBySid(model: string, sid: string): void {
    this.entriesOf(model).deleteBy('sid', sid);
  }

  private entriesOf(model: string): Entries {
    const known = this.models.get(model);
    if (known) return known;
    const entries = new Entries();
    this.models.set(model, entries);
    return entries;
  }
}

type Owner = 'grantId' | 'sid';

/** The entries of one model, indexed by id, by grant and by browser session. */
class Entries {
  private readonly byId = new Map<string, AdapterPayload>();
  private readonly idsBy: Record<Owner, Map<string, Set<string>>> = { grantId: new Map(), sid: new Map() };
  private inserts = 0;

  get size(): number {
    return this.byId.size;
  }

  get(id: string): AdapterPayload | undefined {
    return this.byId.get(id);
  }

  find(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    for (const payload of this.byId.values()) if (matches(payload)) return payload;
    return undefined;
  }

  set(id: string, payload: AdapterPayload): void {
    this.delete(id);
    this.byId.set(id, payload);
    this.forEachOwner(payload, (ids, value) => {
      const owned = ids.get(value) ?? new Set();
      ids.set(value, owned.add(id));
    });
    this.inserts += 1;
    if (this.inserts % insertsBetweenPurges === 0) this.purge();
  }

  delete(id: string): void {
    const payload = this.byId.get(id);
    if (!payload) return;
    this.byId.delete(id);
    this.forEachOwner(payload, (ids, value) => {
      const owned = ids.get(value);
      owned?.delete(id);
      if (owned?.size === 0) ids.delete(value);
    });
  }

  deleteBy(owner: Owner, value: string): void {
    for (const id of this.idsBy[owner].get(value) ?? []) this.delete(id);
  }

  deleteWhere(matches: (payload: AdapterPayload) => boolean): void {
    for (const [id, payload] of this.byId) if (matches(payload)) this.delete(id);
  }

  private forEachOwner(
    payload: AdapterPayload,
    run: (ids: Map<string, Set<string>>, value: string) => void,
  ): void {
    for (const owner of ['grantId', 'sid'] as const) {
      const value = payload[owner];
      if (typeof value === 'string') run(this.idsBy[owner], value);
    }
  }

  private purge(): void {
    const now = nowSeconds();
    this.deleteWhere(({ exp }) => (exp ?? Infinity) < now);
  }
}

class MemoryAdapter implements Adapter {
  constructor(private readonly entries: Entries) {}

  upsert(id: string, payload: AdapterPayload): Promise<void> {
    this.entries.set(id, payload);
    return resolved;
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.entries.get(id));
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.entries.find((payload) => payload.uid === uid));
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.entries.find((payload) => payload.userCode === userCode));
  }

  consume(id: string): Promise<void> {
    const payload = this.entries.get(id);
    if (payload) payload.consumed = nowSeconds();
    return resolved;
  }

  destroy(id: string): Promise<void> {
    this.entries.delete(id);
    return resolved;
  }

  revokeByGrantId(grantId: string): Promise<void> {
    this.entries.deleteBy('grantId', grantId);
    return resolved;
  }
}
