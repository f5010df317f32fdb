import type { SignInFailure } from '@mridang/nestjs-auth';
import type { SignOutFailure } from '@mridang/nestjs-zitadel';
import { de } from './de.js';
import { en, type TextKey, type Texts } from './en.js';
import { fr } from './fr.js';
import type { Language } from './language.js';

const textsOf: Record<Language, Texts> = { en, de, fr };

/** Texts with placeholders: what is between them at even places, their names at odd ones. */
const pieces = new Map<string, readonly string[]>();

/** A text in a language, its `{name}`s replaced by `values`. */
export function text(
  language: Language,
  key: TextKey,
  values: Record<string, string | undefined> = {},
): string {
  const found = textsOf[language][key];
  let parts = pieces.get(found);
  if (!parts) pieces.set(found, (parts = found.split(/\{(\w+)\}/)));
  return parts.reduce((made, part, index) => made + (index % 2 ? (values[part] ?? '') : part), '');
}

export const isTextKey = (key: string): key is TextKey => Object.hasOwn(en, key);

/** Title and text of a page about a failure. */
export interface Message {
  title: TextKey;
  text: TextKey;
}

type Failure = `signIn.${SignInFailure | 'unknown'}` | `signOut.${SignOutFailure}` | `error.${400 | 500}`;

/** The message of a failure. Their keys follow from its name: a failure without texts does not compile. */
export const messageOf = (failure: Failure): Message => ({
  title: `${failure}.title`,
  text: `${failure}.text`,
});

/** The message for a reason, code or status, if there is one for it. It may be any text, as in a URL. */
export function messageFor(kind: 'signIn' | 'signOut' | 'error', reason: unknown): Message | undefined {
  const failure = `${kind}.${String(reason)}`;
  return isTextKey(`${failure}.title`) ? messageOf(failure as Failure) : undefined;
}

/** The message of an error page. */
export const errorMessage = (status: number, code?: string): Message =>
  messageFor('error', code) ?? messageFor('error', status) ?? messageOf(`error.${status < 500 ? 400 : 500}`);
