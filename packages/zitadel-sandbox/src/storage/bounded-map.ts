/** A map of the latest entries: the one set longest ago is forgotten when there are more than `kept`. */
export class BoundedMap<Key, Value> {
  private readonly entries = new Map<Key, Value>();

  constructor(private readonly kept: number) {}

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
      if (this.entries.size <= this.kept) break;
      this.entries.delete(oldest);
    }
  }
}

const kept = 10_000;

/** Appends to a list that tests read; the oldest entries go when it has 10 000. */
export function appendBounded<Entry>(list: Entry[], entry: Entry): void {
  list.push(entry);
  if (list.length > kept) list.shift();
}
