/** Returns the body of a response when it is a JSON object. The response can still be read. */
export async function jsonOf(answer: Response): Promise<Record<string, unknown> | undefined> {
  const body: unknown = await answer
    .clone()
    .json()
    .catch(() => undefined);
  return typeof body === 'object' && body !== null && !Array.isArray(body)
    ? (body as Record<string, unknown>)
    : undefined;
}
