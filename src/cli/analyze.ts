import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { analyzeSession } from "../session/analysis.ts";
import { writeEvents } from "../session/folder.ts";
import { writeJson } from "../store/session-file.ts";
import { conclude, exitOfResults } from "./exit.ts";
import { keepTrace } from "./keep-trace.ts";
import { readRig } from "./read-file.ts";
import { noteState, printResults } from "./report.ts";

export function registerAnalyze(program: Command): void {
  program
    .command("analyze")
    .argument("<session>", "session folder")
    .description("compute the results anew from the tape")
    .option("--rig <file>", "rig with a new calibration; its results are kept beside the old ones")
    .option("--budget", "print the uncertainty budget")
    .option("--json", "print the results as one JSON document")
    .addHelpText("after", "\nExample:\n  joulebench analyze sessions/pi5-q4 --budget")
    .action((session: string, options: AnalyzeOptions) => conclude(() => analyzeCommand(session, options)));
}

interface AnalyzeOptions {
  readonly rig?: string;
  readonly budget?: boolean;
  readonly json?: boolean;
}

async function analyzeCommand(dir: string, { rig, budget = false, json = false }: AnalyzeOptions): Promise<number> {
  const { session, results, recording } = analyzeSession(dir, rig === undefined ? undefined : readRig(rig));
  noteState(dir, session);
  // A run that was killed has not written its events any more.
  if (!existsSync(join(dir, "events.jsonl"))) writeEvents(dir, recording.events);
  const name = rig === undefined ? "results.json" : `results-${basename(rig).replace(/\.ya?ml$/, "")}.json`;
  writeJson(join(dir, name), results);
  printResults(results, { json, budget });
  if (!json) process.stdout.write(`written to ${join(dir, name)}\n`);
  // The trace is that of the session's own rig, whose samples are in the tape.
  await keepTrace(dir, rig === undefined ? { recording } : {});
  return exitOfResults(results);
}
