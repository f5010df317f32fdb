/** Members of a JSON object. */
export type Fields = Record<string, unknown>;

/** Replacements of members; `undefined` removes one. */
export type Patch = Fields | ((original: Fields) => Fields);

export const patched = (original: Fields, patch: Patch = {}): Fields => ({
  ...original,
  ...(typeof patch === 'function' ? patch(original) : patch),
});
