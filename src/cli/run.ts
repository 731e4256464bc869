import type { Command } from "commander";
import { run } from "../session/run.ts";
import { complain, conclude, EXIT, exitOfResults } from "./exit.ts";
import { interruptSignal } from "./interrupt.ts";
import { progress } from "./progress.ts";
import { readRig } from "./read-file.ts";
import { printResults } from "./report.ts";

export function registerRun(program: Command): void {
  program
    .command("run")
    .argument("<rig>", "rig file: the bench and its workload")
    .description("measure: idle, workload, idle; then print joules per token")
    .option("--plan <file>", "plan file, in place of the rig's own plan")
    .option("--out <dir>", "session folder to make (default: a new one below sessions/)")
    .option("--json", "print the results as one JSON document")
    .addHelpText("after", "\nExample:\n  joulebench run rigs/pi5.yaml --plan rigs/plans/prompts.yaml --out sessions/pi5")
    .action((rig: string, options: RunCommandOptions) => conclude(() => runCommand(rig, options)));
}

interface RunCommandOptions {
  readonly plan?: string;
  readonly out?: string;
  readonly json?: boolean;
}

async function runCommand(path: string, { plan, out, json = false }: RunCommandOptions): Promise<number> {
  const rig = readRig(path, plan);
  const watcher = progress();
  const outcome = await run(rig, out, { signal: interruptSignal(), watcher }).finally(watcher.end);
  printResults(outcome.results, { json });
  process.stderr.write(`session kept in ${outcome.dir}\n`);
  for (const refusal of outcome.sinksRefused) process.stderr.write(`${refusal}\n`);
  if (outcome.interrupted) return EXIT.interrupted;
  if (outcome.failure) return complain(outcome.failure);
  return outcome.sinksRefused.length > 0 ? EXIT.sink : exitOfResults(outcome.results);
}
