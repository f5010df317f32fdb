/** The `aud` of a token or assertion as a list; it may be a single string (RFC 7519 section 4.1.3). */
export function audiencesIn({ aud }: { aud?: string | string[] | undefined }): string[] {
  return typeof aud === 'string' ? [aud] : (aud ?? []);
}
