import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { RigHealth } from "../model/health.ts";
import { rigNames, superviseRigs } from "../session/daemon.ts";
import { conclude, EXIT } from "./exit.ts";
import { clockTime, printable, significant, table } from "./format.ts";

export function registerDaemon(program: Command): void {
  program
    .command("daemon")
    .description("measure the queued plans of several rigs, one process each, and go on after whatever ended them")
    .option("--rigs <dir>", "folder of rig files", "rigs")
    .option("--drain", "end when no plan is left in any queue")
    .option("--status", "print how each bench is, and supervise nothing")
    .option("--json", "with --status, print it as one JSON document")
    .addHelpText("after", "\nExamples:\n  joulebench daemon --rigs rigs/three\n  joulebench daemon --rigs rigs/three --status")
    .action((options: DaemonCommandOptions) => conclude(() => daemonCommand(options)));
}

interface DaemonCommandOptions {
  readonly rigs: string;
  readonly drain?: boolean;
  readonly status?: boolean;
  readonly json?: boolean;
}

async function daemonCommand({ rigs, drain = false, status = false, json = false }: DaemonCommandOptions): Promise<number> {
  if (status) return tellStatus(rigs, json);
  const [first, second] = [new AbortController(), new AbortController()];
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(name, () => {
      process.stderr.write(first.signal.aborted ? "stopping at once\n" : "stopping in order; once more to stop at once\n");
      (first.signal.aborted ? second : first).abort();
    });
  await superviseRigs({
    dir: rigs,
    program: [process.execPath, process.argv[1]!],
    signal: first.signal,
    again: second.signal,
    drain,
    say: (message) => process.stderr.write(`${new Date().toISOString()} ${printable(message)}\n`),
  });
  return first.signal.aborted ? EXIT.interrupted : EXIT.valid;
}

/** Health is written every 10 s: one older than this is of a daemon that is gone. */
const STALE_S = 30;

function tellStatus(rigs: string, json: boolean): number {
  const told = rigNames(rigs).map((name) => ({ name, health: healthOf(join(rigs, name, "health.json")) }));
  const known = told.flatMap(({ health }) => (health ? [health] : []));
  if (json) process.stdout.write(`${JSON.stringify(known, null, 1)}\n`);
  else if (known.length > 0) {
    const rows = told.map(({ name, health }) => (health ? rowOf(health) : [name, "unknown", "-", "-", "-", "-", "-", "-"]));
    process.stdout.write(`${[table([HEAD, ...rows], [2, 4, 5, 6]), ...known.flatMap(complaintOf)].join("\n")}\n`);
  }
  if (known.length === 0) process.stderr.write(`no daemon has told of ${rigs} yet; start one: joulebench daemon --rigs ${rigs}\n`);
  else if (known.every(isStale)) process.stderr.write(`no daemon tells of ${rigs} any more: this is what the last one told\n`);
  return EXIT.valid;
}

const isStale = ({ at_s }: RigHealth): boolean => Date.now() / 1000 - at_s > STALE_S;

/** Undefined where nothing was told, or nothing that can be read. */
function healthOf(path: string): RigHealth | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as RigHealth;
  } catch {
    return undefined;
  }
}

const HEAD = ["bench", "state", "cell", "valid", "J/token", "restarts", "lag", "plan"];

function rowOf({ rig, state, cell, cells, valid, energy_per_token_j, restarts, database_lag_s, plan }: RigHealth): string[] {
  const verdict = valid === undefined ? "-" : valid ? "yes" : "no";
  const energy = energy_per_token_j === undefined ? "-" : significant(energy_per_token_j, 3);
  const done = cells === undefined ? "-" : `${cell}/${cells}`;
  return [rig, state, done, verdict, energy, String(restarts), clockTime(database_lag_s), plan ?? "-"];
}

/** What is wrong with a bench, or with its last session: a line of its own, as it may be long. */
function complaintOf({ rig, state, valid, reason, error }: RigHealth): string[] {
  const why = state !== "measuring" && error !== undefined ? error : valid === false ? reason : undefined;
  return why === undefined ? [] : [`${rig}: ${printable(why)}`];
}
