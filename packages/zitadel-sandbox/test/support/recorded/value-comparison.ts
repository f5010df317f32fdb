import { decodeJwt, decodeProtectedHeader } from 'jose';
import { named, type Names } from './names.js';

type Json = Record<string, unknown>;

const shapes: [RegExp, string][] = [
  [/<(\d+) digits>/g, '\\d{$1}'],
  [/<kid: (\d+) digits>/g, '\\d{$1}'],
  [/<[a-z_]+: base64url, (\d+) chars>/g, '[\\w-]{$1}'],
  [/<user_code: XXXX-XXXX>/g, '[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}'],
  [/<token: JWT, 3 segments>/g, 'eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+'],
  [/<(\d+) chars>/g, '[^;]{$1}'],
  [/<date>/g, '[^;]+'],
];
const sealed = /<[a-z_]+: JWE, 5 segments, (\d+) chars(?:, header kid (\w+))?>/g;
const relative = /^<iat(?:\+(\d+))?>$/;
const seconds = /^<[a-z_]+: seconds.*>$/;

/**
 * The differences between `actual` and the recorded value, one line each. A placeholder matches its named value, or any
 * value of that format and length.
 */
export function valueDifferences(recorded: unknown, actual: unknown, names: Names, at = 'body'): string[] {
  return new Comparison(names).differences(recorded, actual, at, undefined);
}

class Comparison {
  constructor(private readonly names: Names) {}

  differences(recorded: unknown, actual: unknown, at: string, around: Json | undefined): string[] {
    if (typeof recorded === 'string') return this.textDifferences(recorded, actual, at, around);
    if (Array.isArray(recorded)) return this.listDifferences(recorded, actual, at);
    if (!isObject(recorded)) return recorded === actual ? [] : [differs(at, recorded, actual)];
    if ('$jwt' in recorded) return this.jwtDifferences(recorded['$jwt'], actual, at);
    if (!isObject(actual)) return [differs(at, recorded, actual)];
    return this.objectDifferences(recorded, actual, at);
  }

  private objectDifferences(recorded: Json, actual: Json, at: string): string[] {
    const wanted = new Map(Object.entries(recorded).map(([key, value]) => [named(key, this.names), value]));
    const extra = Object.keys(actual).filter((key) => !wanted.has(key));
    return [
      ...extra.map((key) => `${at}.${key}: not in the recording, here ${JSON.stringify(actual[key])}`),
      ...[...wanted].flatMap(([key, value]) => this.differences(value, actual[key], `${at}.${key}`, actual)),
    ];
  }

  // the order of an audience differs between the logins of one server
  private listDifferences(recorded: unknown[], actual: unknown, at: string): string[] {
    if (!Array.isArray(actual)) return [differs(at, recorded, actual)];
    const isAudience = at.endsWith('.aud');
    const [wanted, given] = isAudience
      ? [this.audience(recorded).sort(), (actual as string[]).toSorted()]
      : [recorded, actual as unknown[]];
    if (wanted.length !== given.length) return [differs(at, wanted, given)];
    return wanted.flatMap((value, index) =>
      this.differences(value, given[index], `${at}[${index}]`, undefined),
    );
  }

  // the tokens of users are for every client of the project, and the recorded projects had fewer clients
  private audience(recorded: unknown[]): string[] {
    const clients = recorded.filter((one) => String(one).startsWith('<client_id: '));
    const all = [...this.names].filter(([placeholder]) => /^<client_id: (?!foreign)/.test(placeholder));
    const others = recorded
      .filter((one) => !clients.includes(one))
      .map((one) => named(String(one), this.names));
    const wholeProject =
      others.includes(this.names.get('<project_id: 18 digits>') ?? '') && clients.length > 2;
    return [
      ...(wholeProject ? all.map(([, id]) => id) : clients.map((one) => named(String(one), this.names))),
      ...others,
    ];
  }

  private jwtDifferences(recorded: unknown, actual: unknown, at: string): string[] {
    try {
      const [header, claims] = [decodeProtectedHeader(String(actual)), decodeJwt(String(actual))];
      return this.differences(recorded, { header, claims }, at, undefined);
    } catch {
      return [differs(at, recorded, actual)];
    }
  }

  private textDifferences(recorded: string, actual: unknown, at: string, around: Json | undefined): string[] {
    if (seconds.test(recorded)) return typeof actual === 'number' ? [] : [differs(at, recorded, actual)];
    const offset = relative.exec(recorded);
    if (offset) {
      const expected = Number(around?.['iat']) + Number(offset[1] ?? 0);
      return actual === expected ? [] : [differs(at, `${recorded} = ${expected}`, actual)];
    }
    return typeof actual === 'string' && this.matches(recorded, actual)
      ? []
      : [differs(at, recorded, actual)];
  }

  private matches(recorded: string, actual: string): boolean {
    const filled = named(recorded, this.names);
    const keyIds = [...filled.matchAll(sealed)].map(([, , kid]) => kid);
    const lengths = [...filled.matchAll(sealed)].map(([, length]) => Number(length));
    let source = filled
      .replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
      .replaceAll(sealed, '(eyJ[\\w-]+(?:\\.[\\w-]*){4})');
    for (const [shape, pattern] of shapes) source = source.replaceAll(shape, pattern);
    const found = new RegExp(`^${source}$`, 's').exec(actual);
    return (
      found !== null &&
      lengths.every((length, index) => found[index + 1]?.length === length) &&
      keyIds.every((kid, index) => decodeProtectedHeader(found[index + 1] ?? '').kid === kid)
    );
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function differs(at: string, recorded: unknown, actual: unknown): string {
  return `${at}: recorded ${JSON.stringify(recorded)}, here ${JSON.stringify(actual)}`;
}
