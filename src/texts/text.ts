import { de } from './de.js';
import { en, type TextKey, type Texts } from './en.js';
import { fr } from './fr.js';
import type { Language } from './language.js';

const textsOf: Record<Language, Texts> = { en, de, fr };

/** A text in a language, its `{name}`s replaced by `values`. */
export function text(
  language: Language,
  key: TextKey,
  values: Record<string, string | undefined> = {},
): string {
  const found = textsOf[language][key];
  if (!found.includes('{')) return found;
  return found.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
}
