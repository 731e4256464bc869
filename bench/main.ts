import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { machine } from "./machine.ts";
import { isMet, type Row, table } from "./row.ts";

/** Each part is a process of its own, so that neither its memory nor what the compiler learnt depends on the others. */
const PARTS = [
  ...[["decode"], ["day", "constant"], ["day", "square"], ["tape"], ["trace"], ["day-energies"]],
  ...[["line-protocol"], ["influx-write"]],
] as [string, ...string[]][];

function rowsOf([part, ...args]: readonly [string, ...string[]]): Row[] {
  const program = fileURLToPath(new URL(`${part}.js`, import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (status !== 0) throw new Error(`benchmark ${[part, ...args].join(" ")} ended with ${status}`);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

process.stdout.write(`${machine()}\n\n`);
const rows = PARTS.flatMap((part) => {
  process.stderr.write(`measuring ${part.join(" ")}\n`);
  return rowsOf(part);
});
process.stdout.write(`${table(rows)}\nRatios are ours over theirs, both measured in this run. Times are CPU times of all threads.\n`);
const missed = rows.filter((row) => !isMet(row)).length;
if (missed > 0) process.stdout.write(`${missed} targets missed\n`);
process.exitCode = missed > 0 ? 1 : 0;
