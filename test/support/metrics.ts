/** The metrics of the application at `origin`. */
export const metricsOf = async (origin: string) => (await fetch(`${origin}/metrics`)).text();

/** The value of a counter such as `name{label="value"}`; 0 if it is missing. */
export async function countOf(origin: string, series: string): Promise<number> {
  const line = (await metricsOf(origin)).split('\n').find((text) => text.startsWith(`${series} `));
  return Number(line?.slice(series.length) ?? 0);
}
