import { CONDITIONS } from "./conditions.ts";
import { evaluateCondition, isHeld, population, type Row } from "./trials.ts";

/** Usage: montecarlo.js [trials per condition] [name of one condition] */
const trials = Number(process.argv[2] ?? 1000);
const only = process.argv[3];
/** Phones whose requests make the population: its mean is then known to a hundredth of the intervals tested. */
const PHONES = 5000;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function line(row: Row): string {
  const { predicted, observed, width, bias, largest, largestShare } = row.coverage;
  return [
    row.name.padEnd(36),
    row.measurand.padEnd(5),
    percent(predicted).padStart(9),
    percent(observed).padStart(9),
    width.toFixed(2).padStart(14),
    bias.toFixed(2).padStart(8),
    ` ${largest}, ${percent(largestShare)}`.padEnd(24),
    isHeld(row) ? "ok" : "FAIL",
  ].join(" ");
}

const head = `${"quantity".padEnd(36)} of    predicted  observed U / half-width bias / U  largest component`;
process.stdout.write(`The budget against ${trials} measurements of virtual phones by drawn specimens of the INA219.
"these": the requests measured, budget without repeats; "any": requests of this kind, budget as stated.
Held: observed coverage within 2 points of the budget's own prediction, and median U at most 1.3 times the
half-width of the central 95 % of the errors.
`);
const any = population(PHONES);
let failed = 0;
for (const condition of CONDITIONS.filter(({ name }) => !only || name === only)) {
  const rows = evaluateCondition(condition, trials, any);
  failed += rows.filter((row) => !isHeld(row)).length;
  process.stdout.write(`\n${condition.name}: ${condition.about}\n${head}\n${rows.map(line).join("\n")}\n`);
}
process.stdout.write(failed === 0 ? "\nevery interval holds\n" : `\n${failed} intervals do not hold\n`);
process.exitCode = failed === 0 ? 0 : 1;
