const kept = 10_000;

/** Appends to a list that tests read; the oldest entries go when it has 10 000. */
export function appendLatest<Entry>(list: Entry[], entry: Entry): void {
  list.push(entry);
  if (list.length > kept) list.shift();
}
