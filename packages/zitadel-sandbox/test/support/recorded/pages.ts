import type { Answer } from '../browser.js';
import { named, type Names } from './names.js';

/** What was recorded of a page of the login UI: in Chromium, or as `inputs` and `buttons` of its HTML. */
export interface RecordedPage {
  title: string;
  text: string;
  /** the address of the form */
  action?: string;
  fields?: string[];
  inputs?: string[];
  buttons?: string[];
}

/** The recorder kept so many characters of a text, in which a footer may begin. */
const recordedLength = 350;
/** The initials of a user beside the login name are a picture. */
const avatar = /(^| )[A-Z]\d? (?=alice|[a-z]+-\d{5})/g;

/** The differences between a page of the sandbox and the recorded one, one line each. */
export function pageDifferences(recorded: RecordedPage, { text: html }: Answer, names: Names): string[] {
  const main = named(ownParts(html), names);
  const wanted = named(recorded.text, names).replaceAll(avatar, '$1');
  const text = textOf(main);
  return [
    ...different('title', recorded.title, textOf(/<h1>(.*?)<\/h1>/s.exec(main)?.[1] ?? '')),
    ...different('form', recorded.action, attribute(/<form[^>]*>/.exec(main)?.[0] ?? '', 'action')),
    ...(recorded.text.length >= recordedLength
      ? cutDifferences(wanted, text)
      : different('text', wanted, text)),
    ...(recorded.fields ?? recorded.inputs ?? []).flatMap((field, index) =>
      different('field', field, fieldsOf(main, field.includes('='))[index]),
    ),
    ...different('number of fields', (recorded.fields ?? recorded.inputs)?.length, fieldsOf(main).length),
    ...different('buttons', recorded.buttons?.map(withoutId), buttonsOf(main, recorded.inputs !== undefined)),
  ];
}

/** The content of the page without the sections, which Zitadel does not have. */
function ownParts(html: string): string {
  return (/<main>(.*)<\/main>/s.exec(html)?.[1] ?? '').replaceAll(/<section>.*?<\/section>/gs, '');
}

function different(what: string, recorded: unknown, actual: unknown): string[] {
  if (recorded === undefined || JSON.stringify(recorded) === JSON.stringify(actual)) return [];
  return [`${what}: recorded ${JSON.stringify(recorded)}, here ${JSON.stringify(actual)}`];
}

function cutDifferences(recorded: string, actual: string): string[] {
  const isSame = recorded.startsWith(actual) || actual.startsWith(recorded);
  return isSame ? [] : different('text', recorded, actual);
}

const entities: Record<string, string> = {
  '&quot;': '"',
  '&#39;': "'",
  '&lt;': '<',
  '&gt;': '>',
  '&amp;': '&',
};

function textOf(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&[#\w]+;/g, (entity) => entities[entity] ?? entity)
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function attribute(tag: string, name: string): string {
  return new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? '';
}

/** The fields as `name:type`, and a text field with its value as `name:text=value`. */
function fieldsOf(html: string, isWithValue = false): string[] {
  return [...html.matchAll(/<input[^>]*>/g)].map(([tag]) => {
    const type = attribute(tag, 'type') || 'text';
    const value = isWithValue && type === 'text' ? `=${attribute(tag, 'value')}` : '';
    return `${attribute(tag, 'name')}:${type}${value}`;
  });
}

/** Buttons and links; of HTML with their names and values. */
function buttonsOf(html: string, isOfHtml: boolean): string[] {
  return [...html.matchAll(/<(button|a)( [^>]*)>(.*?)<\/\1>/gs)].map(
    ([, element, tag = '', content = '']) => {
      const text = textOf(content);
      const href = withoutId(attribute(tag, 'href'));
      if (!isOfHtml) return href ? `${text} -> ${href}` : text;
      const name = attribute(tag, 'name');
      const rest = element === 'a' ? ` ${href}` : name && ` ${name}=${attribute(tag, 'value')}`;
      return `${element}[${text}]${rest}`;
    },
  );
}

function withoutId(text: string): string {
  return text.replace(/authRequestID=[^&]*/, 'authRequestID=<id>');
}
