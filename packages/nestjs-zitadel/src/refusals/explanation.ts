import { inspect } from 'node:util';
import { onOneLine, type RefusalFacts, type RefusalReason } from '@mridang/nestjs-auth';
import { redacted } from '../log/redacted.js';
import { failureTexts, sessionEndTexts, signInTexts, type FailureText } from './failure-texts.js';
import { de } from './texts/de.js';
import { en, type FactName, type Translations } from './texts/explanation-texts.js';
import { fr } from './texts/fr.js';

/** Why a request was refused, as plain data: bounded, and without tokens, cookies and secrets. */
export interface Explanation {
  /** what the route needs */
  needed: RefusalFacts;
  /** what the request has of that */
  held: RefusalFacts;
  /** what would help */
  help: string;
}

/** Characters of a fact. */
export const MAX_LENGTH = 120;
const MAX_HELP_LENGTH = 500;
/** Members of a list, and facts. */
export const MAX_ITEMS = 20;

interface Found {
  code: string;
  reason: string | undefined;
  also: RefusalFacts | undefined;
}

/** Returns the explanation of a refusal with a code, or of a failed sign-in with a reason. */
export const explain = (
  { needed, held, help }: RefusalReason,
  { code, reason = '', also }: Found,
): Explanation => ({
  needed: bounded(needed),
  held: { ...bounded(held), ...bounded(also) },
  help: typeof help === 'string' ? shortened(help, MAX_HELP_LENGTH) : helpFor(code, reason),
});

const texts: Record<string, FailureText> = { ...failureTexts, ...signInTexts, ...sessionEndTexts };
const plain = ({ helps }: FailureText) => helps.replaceAll('`', '');

function helpFor(code: string, reason: string): string {
  const name = Object.hasOwn(texts, reason) ? reason : code;
  return Object.hasOwn(texts, name) && texts[name] ? plain(texts[name]) : '';
}

/**
 * Cuts long texts and lists, escapes control characters and hides what looks like a secret: a fact may be what a caller has sent, and one
 * of a program's own error may be of any type.
 */
export function bounded(facts: unknown): RefusalFacts {
  if (typeof facts !== 'object' || facts === null) return {};
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    known.slice(0, MAX_ITEMS).map(([name, value]) => [shortened(name), boundedValue(value)]),
  );
}

function boundedValue(value: unknown): RefusalFacts[string] {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (!Array.isArray(value)) return shortened(value);
  const shown = value.slice(0, MAX_ITEMS).map((item) => shortened(item));
  return value.length > MAX_ITEMS ? [...shown, `… +${value.length - MAX_ITEMS}`] : shown;
}

/** Returns a value as a part of a line, without secrets. */
export function shortened(value: unknown, maxLength = MAX_LENGTH): string {
  const text = typeof value === 'string' ? value : inspect(value, { compact: true, breakLength: Infinity });
  return redacted(onOneLine(text, maxLength));
}

const translations = new Map<string, Translations>(Object.entries({ de, fr }));
/** Translations are found by the English text, as message catalogs do. */
const namesOfHelps = new Map(Object.entries(texts).map(([name, text]) => [plain(text), name]));

/**
 * An explanation in words, for people: plain text.
 *
 * @param language `en`, `de` or `fr`; English for another. What a program's own errors say stays as it is.
 */
export function phrasesOf({ needed, held, help }: Explanation, language = 'en') {
  const words = translations.get(language);
  const phrase = (side: 'needed' | 'held', facts: RefusalFacts) =>
    Object.entries(facts).map(([name, value]) => {
      const { labels, colon } = words ?? en;
      const label = Object.hasOwn(labels, name) ? labels[name as FactName] : name;
      const text = typeof label === 'string' ? label : label[side];
      return value === true ? text : text + colon + valueIn(words, name as FactName, value);
    });
  return {
    needed: phrase('needed', needed),
    held: phrase('held', held),
    help: words?.helps[namesOfHelps.get(help) ?? ''] ?? help,
  };
}

function valueIn(words: Translations | undefined, name: FactName, value: RefusalFacts[string]): string {
  const isKnown = words !== undefined && Object.hasOwn(words.values, name);
  const known = new Map(Object.entries((isKnown && words.values[name]) || {}));
  if (typeof value === 'object')
    return value.map((one) => known.get(one) ?? one).join(', ') || (known.get('none') ?? (words ?? en).none);
  const text = String(value);
  const [, start, inner = ''] = /^(\w+) \((\w+)\)$/.exec(text) ?? [];
  return known.get(text) ?? known.get(`${start} (…)`)?.replace('…', inner) ?? text;
}
