/** Returns an address with query parameters. */
export function withQuery(page: string, query: Record<string, string>): string {
  const text = new URLSearchParams(query).toString();
  return text ? `${page}${page.includes('?') ? '&' : '?'}${text}` : page;
}
