import type { Command } from "commander";
import { JoulebenchError } from "../model/errors.ts";
import { isExperiment } from "../rig/experiment.ts";
import { parseExperiment } from "../rig/parse-experiment.ts";
import { parsePlan } from "../rig/plan.ts";
import { parseYaml } from "../rig/problems.ts";
import type { Rig } from "../rig/rig.ts";
import { lockRig } from "../session/rig-lock.ts";
import { run } from "../session/run.ts";
import { complain, conclude, EXIT, exitOfResults } from "./exit.ts";
import { experimentCommand } from "./experiment.ts";
import { clockTime } from "./format.ts";
import { interruptSignal } from "./interrupt.ts";
import { keepTrace } from "./keep-trace.ts";
import { progress } from "./progress.ts";
import { readRig, readText } from "./read-file.ts";
import { printResults } from "./report.ts";

export function registerRun(program: Command): void {
  program
    .command("run")
    .argument("<rig>", "rig file: the bench and its workload")
    .description("measure: idle, workload, idle; then print joules per token")
    .option("--plan <file>", "plan file, in place of the rig's own plan; it may hold a whole experiment")
    .option("--out <dir>", "folder to make (default: a new one below sessions/)")
    .option("--resume [dir]", "go on with the experiment in that folder, or in --out")
    .option("--dry-run", "print what would be measured, in which order and how long, and open nothing")
    .option("--json", "print the results as one JSON document")
    .addHelpText(
      "after",
      `
Examples:
  joulebench run rigs/pi5.yaml
  joulebench run rigs/pi5.yaml --plan threads.yaml --dry-run
  joulebench run rigs/pi5.yaml --plan threads.yaml --out sessions/threads
  joulebench run rigs/pi5.yaml --plan threads.yaml --resume sessions/threads`,
    )
    .action((rig: string, options: RunCommandOptions) => conclude(() => runCommand(rig, options)));
}

interface RunCommandOptions {
  readonly plan?: string;
  readonly out?: string;
  readonly resume?: string | true;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

async function runCommand(path: string, options: RunCommandOptions): Promise<number> {
  const rig = readRig(path);
  const { plan, resume, dryRun = false, json = false } = options;
  const text = plan === undefined ? undefined : readText(plan, "a plan file");
  const out = typeof resume === "string" ? resume : options.out;
  if (plan !== undefined && text !== undefined && isExperiment(parseYaml(text, plan).value))
    return experimentCommand({
      rigPath: path,
      rig,
      plan: parseExperiment(text, plan, rig),
      out,
      resume: resume !== undefined,
      dryRun,
      json,
    });
  if (resume !== undefined)
    throw new JoulebenchError("config", plan ?? path, "asks for one session, which cannot be resumed; name the experiment's --plan");
  const session = { ...rig, plan: plan === undefined || text === undefined ? rig.plan : parsePlan(text, plan) };
  if (session.device && session.device.command === undefined && session.device.emulated === undefined)
    throw new JoulebenchError("config", path, "device has an engine and no workload of its own; name a --plan with a workload");
  return dryRun ? describeSession(session) : runSession(path, session, { out, json });
}

function describeSession({ name, plan }: Rig): number {
  const idle_s = plan.baseline_s + plan.settle_s + plan.after_s;
  process.stdout.write(`one session of ${name}: ${clockTime(idle_s)} idle and the workload, which may take ${clockTime(plan.timeout_s)}\n`);
  return EXIT.valid;
}

async function runSession(path: string, rig: Rig, { out, json }: { out: string | undefined; json: boolean }): Promise<number> {
  const release = lockRig(path, out ?? "sessions/");
  const watcher = progress();
  const outcome = await run(rig, out, { signal: interruptSignal(), watcher }).finally(() => {
    watcher.end();
    release();
  });
  printResults(outcome.results, { json });
  process.stderr.write(`session kept in ${outcome.dir}\n`);
  for (const told of [...outcome.sinks.refused, ...outcome.sinks.waiting]) process.stderr.write(`${told}\n`);
  if (outcome.interrupted) return EXIT.interrupted;
  await keepTrace(outcome.dir);
  if (outcome.failure) return complain(outcome.failure);
  return outcome.sinks.refused.length > 0 ? EXIT.sink : exitOfResults(outcome.results);
}
