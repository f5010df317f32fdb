/**
 * A pattern for Zitadel's Dev Mode globs: `*` and `?` stop at `/`, `**` (with `doubleStar`) does not,
 * `[abc]` is one of these characters, `{a,b}` one of these words.
 */
export function globPattern(glob: string, { doubleStar }: { doubleStar: boolean }): RegExp {
  let source = '';
  let depth = 0;
  for (let at = 0; at < glob.length; at++) {
    const rest = glob.slice(at);
    const set = /^\[[^\]/]+\]/.exec(rest)?.[0];
    if (doubleStar && rest.startsWith('**')) {
      source += '.*';
      at += 1;
    } else if (rest.startsWith('*')) source += '[^/]*';
    else if (rest.startsWith('?')) source += '[^/]';
    else if (set) {
      source += set.replace(/^\[[!^]/, '[^').replaceAll('\\', '\\\\');
      at += set.length - 1;
    } else if (doubleStar && rest.startsWith('{')) {
      source += '(?:';
      depth += 1;
    } else if (depth > 0 && rest.startsWith('}')) {
      source += ')';
      depth -= 1;
    } else if (depth > 0 && rest.startsWith(',')) source += '|';
    else source += rest.charAt(0).replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
  }
  return depth === 0 ? new RegExp(`^${source}$`) : /(?!)/;
}
