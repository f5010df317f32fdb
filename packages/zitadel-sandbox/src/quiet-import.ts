/** Runs `load` without the one console warning that contains `words`; every other warning is printed. */
export async function quietly<Result>(words: string, load: () => Promise<Result>): Promise<Result> {
  const { warn } = console;
  console.warn = (...message: unknown[]) => {
    if (!String(message[0]).includes(words)) warn.apply(console, message);
  };
  try {
    return await load();
  } finally {
    console.warn = warn;
  }
}
