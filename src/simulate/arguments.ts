/** `--ppm -20` as `--ppm=-20`: parseArgs takes a value that starts with a dash only when it is joined to its option. */
export function joinValues(argv: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of argv) {
    const last = joined.at(-1);
    if (last?.startsWith("--") && !last.includes("=")) joined.splice(-1, 1, `${last}=${arg}`);
    else joined.push(arg);
  }
  return joined;
}
