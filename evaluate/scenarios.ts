import { type Check, LIVE, liveChecks } from "../test/ground-truth/live-checks.ts";

/** Usage: scenarios.js [seeds] */
const seeds = Number(process.argv[2] ?? 50);

/** The same check of many seeds. */
interface Row {
  readonly name: string;
  readonly tolerance: number;
  /** Largest error of any seed, and largest share of its tolerance; infinite for a missing value. */
  readonly worst: number;
  readonly used: number;
}

const errorOf = ({ found, expected }: Check): number => (found === null ? Number.POSITIVE_INFINITY : Math.abs(found - expected));

function rowsOf(id: string): Row[] {
  const rows = new Map<string, Row>();
  for (let seed = 1; seed <= seeds; seed++) {
    for (const check of liveChecks(id, seed)) {
      const { name, tolerance } = check;
      const error = errorOf(check);
      const used = error === 0 ? 0 : error / tolerance;
      const before = rows.get(name);
      const largest = (of: keyof Omit<Row, "name">, now: number): number => Math.max(before?.[of] ?? 0, now);
      rows.set(name, { name, tolerance: largest("tolerance", tolerance), worst: largest("worst", error), used: largest("used", used) });
    }
  }
  return [...rows.values()];
}

process.stdout.write(`Scenarios live, through the links and clocks of S8, ${seeds} seeds each; 5 kHz, integrating; SI units.
tolerance: what sampling and clocks may move, with events within 0.3 ms of samples; worst: largest error; used: largest share of its tolerance

${"scenario quantity".padEnd(48)}  tolerance      worst   used
`);
let failed = 0;
for (const id of LIVE) {
  for (const { name, tolerance, worst, used } of rowsOf(id)) {
    const isHeld = used <= 1;
    if (!isHeld) failed++;
    const numbers = [tolerance.toExponential(2), worst.toExponential(2)].map((text) => text.padStart(10)).join(" ");
    process.stdout.write(`${`${id} ${name}`.padEnd(48)} ${numbers} ${(100 * used).toFixed(0).padStart(4)} % ${isHeld ? "ok" : "FAIL"}\n`);
  }
}
process.stdout.write(failed === 0 ? "\nevery scenario is within its tolerance\n" : `\n${failed} are not within their tolerance\n`);
process.exitCode = failed === 0 ? 0 : 1;
