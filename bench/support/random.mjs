/**
 * Random numbers that are the same for the same seed (mulberry32).
 *
 * @param {number} seed
 */
export function randomFrom(seed) {
  let state = seed | 0;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    chance: (share) => random() < share,
    between: (least, most) => least + random() * (most - least),
    /** @template T @param {T[]} list */
    shuffled: (list) =>
      list
        .map((item) => ({ item, at: random() }))
        .sort((one, other) => one.at - other.at)
        .map(({ item }) => item),
  };
}
