/** A map with at most `maxEntries` entries: beyond that, `set` evicts the entry that was set longest ago. */
export class BoundedMap<Key, Value> {
  private readonly entries = new Map<Key, Value>();

  constructor(private readonly maxEntries: number) {}

  get(key: Key): Value | undefined {
    return this.entries.get(key);
  }

  values(): IterableIterator<Value> {
    return this.entries.values();
  }

  set(key: Key, value: Value): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.maxEntries) break;
      this.entries.delete(oldest);
    }
  }
}

const maxEntries = 10_000;

/** Appends to a list that tests read; evicts the oldest entry beyond 10 000. */
export function appendBounded<Entry>(list: Entry[], entry: Entry): void {
  list.push(entry);
  if (list.length > maxEntries) list.shift();
}
