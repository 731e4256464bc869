import type { Command } from "commander";
import { type Ratio, ratios } from "../metrics/compare.ts";
import { JoulebenchError } from "../model/errors.ts";
import { type Analysis, analyzeSession } from "../session/analysis.ts";
import { differences, provenance, sameInstrument } from "../session/provenance.ts";
import { conclude, EXIT, exitOfResults } from "./exit.ts";
import { significant, table, withUncertainty, wrap } from "./format.ts";
import { headlinesOf } from "./headlines.ts";
import { noteState } from "./report.ts";
import { verdict } from "./results-table.ts";

export function registerCompare(program: Command): void {
  program
    .command("compare")
    .argument("<reference>", "session folder")
    .argument("<sessions...>", "further session folders, each divided by the first")
    .description("ratios of sessions, with their uncertainty; on one instrument its gain cancels")
    .option("--json", "print the comparison as one JSON document")
    .addHelpText("after", "\nExample:\n  joulebench compare sessions/pi5-q8 sessions/pi5-q4")
    .action((reference: string, others: string[], { json = false }: { json?: boolean }) =>
      conclude(async () => compareCommand([reference, ...others], json)),
    );
}

/** One session over the reference. */
interface Comparison {
  readonly session: string;
  readonly dir: string;
  readonly same_instrument: boolean;
  readonly ratios: readonly Ratio[];
}

function compareCommand(dirs: readonly string[], json: boolean): number {
  const analyses = dirs.map((dir) => analyzeSession(dir));
  for (const [i, { session }] of analyses.entries()) noteState(dirs[i]!, session);
  const [reference, ...others] = analyses as [Analysis, ...Analysis[]];
  const comparisons = others.map((each, i) => compared(reference, each, [dirs[0]!, dirs[i + 1]!]));
  const differing = differences(analyses.map(provenance));
  if (json) {
    const sessions = analyses.map(({ session, results }) => ({ session: session.session, verdict: verdict(results) }));
    process.stdout.write(
      `${JSON.stringify({ reference: reference.session.session, sessions, comparisons, differences: differing }, null, 1)}\n`,
    );
  } else {
    const parts = [sessionTable(dirs, analyses), ...comparisons.map(comparisonText), differenceText(differing)];
    process.stdout.write(`${parts.join("\n\n")}\n`);
  }
  return Math.max(...analyses.map(({ results }) => exitOfResults(results))) === EXIT.valid ? EXIT.valid : EXIT.invalid;
}

/** @throws JoulebenchError `config` when the two say nothing about each other */
function compared(reference: Analysis, other: Analysis, [below, above]: readonly [string, string]): Comparison {
  if (reference.session.session === other.session.session)
    throw new JoulebenchError("config", above, `is the same session as ${below}: its ratio to itself says nothing`);
  const [ours, theirs] = [reference, other].map((each) => provenance(each).units);
  if (ours && theirs && ours !== theirs)
    throw new JoulebenchError(
      "config",
      above,
      `counts ${theirs}, and ${below} counts ${ours}: energies per unit of different things do not compare`,
    );
  const isSame = sameInstrument(reference, other);
  const list = ratios(reference.results, other.results, isSame).filter(({ name }) => !name.startsWith("idle_power_"));
  if (!list.some(({ name }) => name !== "idle_power"))
    throw new JoulebenchError(
      "config",
      above,
      `has no quantity of work in common with ${below}: the one measured ${measuredBy(other)}, the other ${measuredBy(reference)}`,
    );
  return { session: other.session.session, dir: above, same_instrument: isSame, ratios: list };
}

const measuredBy = ({ results }: Analysis): string =>
  Object.keys(results.summary)
    .filter((name) => !name.startsWith("idle_power"))
    .slice(0, 3)
    .join(", ") || "nothing";

const sessionTable = (dirs: readonly string[], analyses: readonly Analysis[]): string =>
  table(analyses.map(({ results }, i) => [i === 0 ? "reference" : String(i), dirs[i]!, verdict(results)]));

function comparisonText({ dir, same_instrument, ratios }: Comparison): string {
  const byName = Object.fromEntries(ratios.map((each) => [each.name, each]));
  const rows = headlinesOf(byName).map(([name, label]) => {
    const each = byName[name]!;
    const values = [label, significant(each.reference), significant(each.value), each.unit];
    const { ratio, expanded_uncertainty: U, k } = each;
    if (ratio === null || U === null || k === null) return [...values, "reference is 0 within its U", ""];
    return [...values, withUncertainty(ratio, U), k.toFixed(2)];
  });
  const why = same_instrument
    ? "One instrument with one calibration: its gain and its voltage's offset cancel, and its current's offset as far as both sessions are alike; clocks, baselines, gaps and repeats are each session's own."
    : "Not one instrument with one calibration (see what differs): nothing cancels, and both gains are in the interval.";
  const heads = ["", "first", "this", "", "ratio ± U", "k"];
  return `${dir}, divided by the reference:\n${table([heads, ...rows], [1, 2, 4, 5])}\n${wrap(why)}`;
}

function differenceText(differing: ReturnType<typeof differences>): string {
  if (differing.length === 0) return "Rig, plan, instruments and joulebench are the same in all.";
  return `What differs:\n${table(differing.map(({ fact, values }) => [fact, values.map((each) => each || "-").join(" | ")]))}`;
}
