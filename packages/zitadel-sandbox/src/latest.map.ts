/** A map of the latest entries: the one set longest ago is forgotten when there are more than `kept`. */
export class LatestMap<Key, Value> {
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
