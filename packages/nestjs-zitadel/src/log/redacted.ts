const REPLACED = '[redacted]';

/** A word boundary. In JSON a line break is `\n`, so a word may begin after that `n`. */
const START = String.raw`(?:\b|(?<=\\[nrt]))`;

const parameters =
  'code code_verifier state nonce token access_token refresh_token id_token logout_token id_token_hint client_secret client_assertion csrfToken'.split(
    ' ',
  );

/** Names of fields whose values are never logged, in any case and at any depth. */
export const secretNames = [
  ...parameters,
  ...'authorization cookie cookies set-cookie password secret key accessToken refreshToken idToken clientSecret'.split(
    ' ',
  ),
];

/** Patterns of secrets. The first group of a match stays. */
const secrets: RegExp[] = [
  // PEM
  /()-----BEGIN [\w ]+-----(?:\\+[nr]|[\w+/=\s])*(?:-----END [\w ]+-----)?/g,
  // JWT and JWE: session cookies and Zitadel's tokens, too; cut short or without signature
  new RegExp(String.raw`()${START}eyJ[\w-]+(?:\.[\w-]*)*`, 'g'),
  // Zitadel's names of tokens and authorization requests
  new RegExp(String.raw`()${START}V2_[\w-]{6,}(?:\.[\w-]+)*`, 'g'),
  // cookies of the auth module
  /(authjs\.[\w.-]+=)[^;,\s"'\\]+/g,
  new RegExp(String.raw`(${START}(?:Bearer|Basic) +)[\w.~+/-]{12,}=*`, 'gi'),
  // in an address or a form
  new RegExp(String.raw`(${START}(?:${parameters.join('|')})=)[^&\s"'\\]+`, 'gi'),
  // in the address of a server
  /(:\/\/[^\s:/@"'\\]*:)[^\s/@"'\\]+(?=@)/g,
];

/** `text` with secrets replaced. JSON stays valid. */
export function redacted(text: string): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replace(secret, `$1${REPLACED}`);
  return clean;
}
