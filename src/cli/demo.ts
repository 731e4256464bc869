import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { JoulebenchError } from "../model/errors.ts";
import type { Results } from "../model/results.ts";
import type { Rig } from "../rig/rig.ts";
import { run } from "../session/run.ts";
import { phonePlant } from "../simulate/phone.ts";
import { complain, conclude, EXIT, exitOfResults } from "./exit.ts";
import { significant, table, withUncertainty } from "./format.ts";
import { interruptSignal } from "./interrupt.ts";
import { progress } from "./progress.ts";
import { readRig } from "./read-file.ts";
import { validityTable, verdict } from "./results-table.ts";

const COMPARED: readonly (readonly [string, string])[] = [
  ["prefill_energy", "prefill energy"],
  ["prefill_energy_per_prompt_token", "prefill per prompt token"],
  ["decode_energy_per_token", "decode per token"],
  ["decode_energy_per_token_net", "decode per token, net of idle"],
  ["request_energy_per_output_token", "request per output token"],
  ["request_energy_per_output_token_net", "request per output token, net"],
  ["idle_power", "idle power"],
  ["ttft", "time to first token"],
  ["tpot", "time per output token"],
];

export function registerDemo(program: Command): void {
  program
    .command("demo")
    .description("measure the virtual bench, end to end, and compare the result with the known truth")
    .option("--seed <number>", "another phone, another truth", "1")
    .option("--out <dir>", "session folder to make (default: a new one below sessions/)")
    .option("--json", "print results and truth as one JSON document")
    .addHelpText("after", "\nExample:\n  joulebench demo --seed 7 --out /tmp/demo-7")
    .action((options: DemoOptions) => conclude(() => demo(options)));
}

interface DemoOptions {
  readonly seed: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** A quantity measured, beside what it truly is. */
interface Comparison {
  readonly name: string;
  readonly label: string;
  readonly unit: string;
  readonly value: number;
  readonly U: number;
  readonly truth: number;
  readonly inside: boolean;
}

async function demo({ seed, out, json = false }: DemoOptions): Promise<number> {
  const rig = virtualRig(seed);
  if (!json) process.stderr.write("A simulated phone answers six prompts; real firmware, in an emulator, measures\nits power.\n");
  const watcher = progress();
  const outcome = await run(rig, out, { signal: interruptSignal(), watcher }).finally(watcher.end);
  const { results, dir, failure, interrupted } = outcome;
  const comparisons = compare(results, phonePlant({ seed: rig.simulate.seed }).truth());
  if (json) process.stdout.write(`${JSON.stringify({ ...results, truth: comparisons }, null, 1)}\n`);
  else print(results, comparisons, rig, dir);
  if (interrupted) return EXIT.interrupted;
  if (failure) return complain(failure);
  return comparisons.every((each) => each.inside) ? exitOfResults(results) : EXIT.invalid;
}

/** @throws JoulebenchError `config` when the seed is no whole number */
function virtualRig(text: string): Rig {
  const seed = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(seed)) throw new JoulebenchError("config", `--seed ${text}`, "expected a whole number");
  const rig = readRig(fileURLToPath(new URL("../../rigs/virtual.yaml", import.meta.url)));
  return { ...rig, simulate: { ...rig.simulate, seed } };
}

function compare({ summary }: Results, truth: Readonly<Record<string, number>>): Comparison[] {
  return COMPARED.flatMap(([name, label]) => {
    const measured = summary[name];
    const known = truth[name];
    if (!measured || known === undefined) return [];
    const { value, unit, expanded_uncertainty: U } = measured;
    return [{ name, label, unit, value, U, truth: known, inside: Math.abs(value - known) <= U }];
  });
}

function print(results: Results, comparisons: readonly Comparison[], rig: Rig, dir: string): void {
  const rows = comparisons.map(({ label, unit, value, U, truth, inside }) => [
    label,
    withUncertainty(value, U),
    significant(truth, 6),
    unit,
    inside ? "inside" : "OUTSIDE",
  ]);
  const { summary, clocks } = results;
  const k = summary.decode_energy_per_token?.k.toFixed(2) ?? "-";
  const n = summary.decode_energy_per_token?.n ?? 0;
  const phone = clocks["device/0"];
  const bridge = clocks["meter/0"];
  const found = (facts: typeof phone, key: string, digits: number): string => Number(facts?.[key] ?? Number.NaN).toFixed(digits);
  const { clock_offset_s, clock_ppm, bridge_ppm } = rig.simulate;
  process.stdout.write(
    `${[
      table([["simulated phone", `measured ± U (k = ${k})`, "truth", "", ""], ...rows], [1, 2]),
      "",
      table(
        [
          ["clocks", "found", "planted"],
          ["phone ahead of host", `${found(phone, "offset_s", 4)} s`, `${clock_offset_s.toFixed(4)} s`],
          ["phone rate", `${found(phone, "rate_ppm", 1)} ppm`, `${clock_ppm.toFixed(1)} ppm`],
          ["bridge rate", `${found(bridge, "rate_ppm", 1)} ppm`, `${bridge_ppm.toFixed(1)} ppm`],
        ],
        [1, 2],
      ),
      "",
      `${verdict(results)} (${n} requests)`,
      validityTable(results, false),
      "",
      `Kept in ${dir}`,
      `The same numbers again: joulebench analyze ${dir}`,
      "Your own bench: joulebench init writes a rig; docs/first-bench.md shows the way.",
    ].join("\n")}\n`,
  );
}
