/** Members of a JSON object. */
export type Fields = Record<string, unknown>;

/** What to put in place of members; `undefined` leaves one out. */
export type Patch = Fields | ((original: Fields) => Fields);

export const patched = (original: Fields, patch: Patch = {}): Fields => ({
  ...original,
  ...(typeof patch === 'function' ? patch(original) : patch),
});
