/** CPU time this process has used, all its threads, seconds. Other programs on the machine slow it down, but do not count as it. */
export function cpu_s(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Least CPU time of each of several pieces of work, done in turn, so that a slow spell of the machine hits all of them.
 *
 * The first round warms up and does not count.
 */
export async function leastOf<K extends string>(rounds: number, work: Readonly<Record<K, () => unknown>>): Promise<Record<K, number>> {
  const names = Object.keys(work) as K[];
  const least = Object.fromEntries(names.map((name) => [name, Number.POSITIVE_INFINITY])) as Record<K, number>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const from_s = cpu_s();
      await work[name]();
      if (round > 0) least[name] = Math.min(least[name], cpu_s() - from_s);
    }
  }
  return least;
}

/** What must hold before a time means anything. @throws Error when it does not */
export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`benchmark: ${what}`);
}
