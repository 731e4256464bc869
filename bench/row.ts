/** One line of the table: our figure beside one that was measured in the same run, or beside a stated limit. */
export interface Row {
  readonly what: string;
  readonly ours: number;
  readonly unit: string;
  /** The peer or the limit, and its figure in the same unit. */
  readonly against: string;
  readonly theirs: number;
  readonly target?: { readonly atLeast: number } | { readonly below: number };
}

export function isMet({ ours, target }: Row): boolean {
  if (!target) return true;
  return "atLeast" in target ? ours >= target.atLeast : ours < target.below;
}

/** A part of the benchmark hands its rows to `main` on standard output, one JSON document a line. */
export const report = (row: Row): boolean => process.stdout.write(`${JSON.stringify(row)}\n`);

const figure = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

function targetOf(row: Row): string {
  if (!row.target) return "";
  const wanted = "atLeast" in row.target ? `>= ${row.target.atLeast}` : `< ${row.target.below}`;
  return `${wanted} ${isMet(row) ? "met" : "MISSED"}`;
}

/** The rows as an aligned table. */
export function table(rows: readonly Row[]): string {
  const head = ["what", "ours", "", "against", "theirs", "ratio", "target"];
  const cells = rows.map((row) => [
    row.what,
    figure(row.ours),
    row.unit,
    row.against,
    figure(row.theirs),
    figure(row.ours / row.theirs),
    targetOf(row),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((line) => line[column]!.length)));
  const isNumber = (column: number): boolean => column === 1 || column === 4 || column === 5;
  return [head, ...cells]
    .map((line) =>
      line.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join("  "),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}
