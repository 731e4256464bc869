import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import type { RigHealth } from "../model/health.ts";
import type { Sink } from "../model/sink.ts";
import { parseRig, type Rig } from "../rig/rig.ts";
import { sinks as kinds } from "../sinks/index.ts";
import { writeJson } from "../store/session-file.ts";
import { isLacking, waitingIn } from "./backlog.ts";
import { adoptChild, startChild } from "./child.ts";
import { HostClock } from "./host-clock.ts";
import { hostName } from "./host-name.ts";
import { lockFile } from "./owner-lock.ts";
import { pass } from "./pass.ts";
import { Resender } from "./resender.ts";
import { rigHolder } from "./rig-lock.ts";
import { RigQueue } from "./rig-queue.ts";
import { openSink, outboxOf } from "./sinks.ts";
import { Supervisor, type World } from "./supervisor.ts";

const POLL_S = 0.25;
/** Health is written and sent this often, and written when the state changes. */
const HEALTH_S = 10;
/** A process that does not end in order within this is killed. */
const STOP_S = 60;
/** Points of health that wait for a database stay below this; more are not told. */
const MOST_WAITING_BYTES = 16 * 2 ** 20;

export interface DaemonOptions {
  /** Folder of rig files. */
  readonly dir: string;
  /** The program whose `run` measures: node and the path of joulebench. */
  readonly program: readonly string[];
  /** Aborted by the first signal; `again` by the second. */
  readonly signal: AbortSignal;
  readonly again: AbortSignal;
  /** Ends when no plan is left in any queue. */
  readonly drain: boolean;
  readonly say: (message: string) => void;
}

interface Bench {
  readonly name: string;
  readonly supervisor: Supervisor;
  readonly sinks: readonly Sink[];
  /** Against that of the first database that the rig writes to. */
  readonly clock: HostClock | undefined;
  readonly resender: Resender;
  told_s: number;
  state: string;
}

/**
 * Supervises one process per rig file of a folder until it is told to end.
 *
 * @throws JoulebenchError `config` when there are no rigs, `link` while another daemon has the folder, `sink` when it cannot
 *   be written
 */
export async function superviseRigs(options: DaemonOptions): Promise<void> {
  const { dir, signal, again } = options;
  const names = rigNames(dir);
  const release = lockFile(join(dir, "daemon.lock"), dir, {
    subject: dir,
    heldBy: ({ pid }) => `is supervised by the daemon with process ${pid}; end that one, or name another --rigs`,
    remedy: "let the daemon's user own the folder",
  });
  const benches = names.map((name) => openBench(name, options));
  const over = new AbortController();
  const clocks = benches.map(({ clock }) => clock?.watch(over.signal));
  try {
    let stopped_s: number | undefined;
    let hurried = false;
    for (;;) {
      if ((signal.aborted || (options.drain && benches.every(isDrained))) && stopped_s === undefined) {
        stopped_s = now_s();
        for (const { supervisor, resender } of benches) {
          supervisor.stop();
          resender.stop();
        }
      }
      if (again.aborted && !hurried) {
        hurried = true;
        for (const { supervisor } of benches) supervisor.stop();
      }
      for (const bench of benches) advance(bench, options);
      if (stopped_s !== undefined && !benches.some(isRunning)) break;
      if (stopped_s !== undefined && now_s() - stopped_s > STOP_S) for (const { supervisor } of benches) supervisor.kill();
      await pass(POLL_S, new AbortController().signal);
    }
  } finally {
    over.abort();
    await Promise.all(benches.flatMap(({ sinks }) => sinks.map((sink) => sink.close({ within_ms: 2000, fruitless_ms: 0 }))));
    await Promise.all(clocks);
    release();
  }
}

const isRunning = ({ supervisor, resender }: Bench): boolean => supervisor.isRunning || resender.isRunning;

/** Its queue is empty, and it was looked at: a daemon that has just begun knows nothing yet. */
const isDrained = (bench: Bench): boolean =>
  bench.told_s > 0 && !isRunning(bench) && bench.supervisor.state === "idle" && bench.supervisor.queue.plans().length === 0;

const now_s = (): number => Date.now() / 1000;

/** Names of the rigs of a folder, without `.yaml`. @throws JoulebenchError `config` when there are none */
export function rigNames(dir: string): string[] {
  const names = existsSync(dir) ? readdirSync(dir).filter((name) => /^[^.].*\.yaml$/.test(name)) : [];
  if (names.length === 0) throw new JoulebenchError("config", dir, "holds no rig file (*.yaml); `joulebench init` writes one");
  return names.map((name) => name.slice(0, -".yaml".length)).toSorted();
}

function openBench(name: string, { dir, program, say }: DaemonOptions): Bench {
  const queue = new RigQueue(resolve(dir, name));
  const world: World = {
    now_s,
    start: (argv, log) => startChild([...program, ...argv], log),
    adopt: adoptChild,
    holder: rigHolder,
    problem: (path) => {
      const rig = readRig(path);
      return typeof rig === "string" ? rig : undefined;
    },
    say: (message) => say(`${name}: ${message}`),
  };
  const rigPath = resolve(dir, `${name}.yaml`);
  const bench = { name, supervisor: new Supervisor(rigPath, queue, world), told_s: 0, state: "" };
  const sinks = healthSinks(rigPath, queue.dir, world.say);
  const asked = sinks.find(({ clock }) => clock !== undefined);
  const resender = new Resender(world, join(queue.dir, "resend.log"));
  return { ...bench, sinks, clock: asked && new HostClock(asked, world.say), resender };
}

function readRig(path: string): Rig | string {
  try {
    return parseRig(readFileSync(path, "utf8"), path);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Where a bench's health goes; a rig that cannot be used has nowhere, and says so elsewhere. */
function healthSinks(rigPath: string, dir: string, say: (message: string) => void): Sink[] {
  const rig = readRig(rigPath);
  if (typeof rig === "string") return [];
  return kinds.flatMap((kind) => {
    const options = rig.sinks[kind.kind];
    if (options === undefined) return [];
    const outbox = outboxOf(dir, kind);
    mkdirSync(outbox, { recursive: true });
    const about = { rig: rig.name, host: hostName(), session: "daemon", wallStart_ns: 0n, work: {}, outbox };
    return [
      openSink(kind, options, { ...about, notice: say, fault: (_code, count, detail = "") => say(`${count} points refused, ${detail}`) }),
    ];
  });
}

/** A slip with one bench's files does not end the others. */
function advance(bench: Bench, { say, signal }: DaemonOptions): void {
  const { name, supervisor } = bench;
  try {
    supervisor.poll();
    if (bench.resender.isRunning) sendWhatWaits(bench, signal);
    if (now_s() - bench.told_s < HEALTH_S && bench.state === supervisor.state) return;
    bench.told_s = now_s();
    bench.state = supervisor.state;
    tell(bench);
    sendWhatWaits(bench, signal);
  } catch (error) {
    if (!(error instanceof JoulebenchError)) throw error;
    if (supervisor.error !== error.message) say(`${name}: ${error.message}`);
    supervisor.error = error.message;
  }
}

/** Of ended plans: the one under way sends for itself. A daemon that is being ended begins nothing. */
function sendWhatWaits({ supervisor: { queue, current }, resender, sinks }: Bench, { aborted }: AbortSignal): void {
  const ended = (): string[] =>
    outboxesOf(queue.dir)
      .filter((outbox) => isLacking(outbox) && (current === undefined || !outbox.startsWith(`${queue.outDir(current)}/`)))
      .map(dirname);
  resender.poll(() => (aborted || sinks.length === 0 ? [] : ended()));
}

function tell({ name, supervisor, sinks, clock }: Bench): void {
  const known = clock?.offset;
  const health = { ...healthOf(name, supervisor), ...(known ? { clock: known } : {}) };
  writeJson(join(supervisor.queue.dir, "health.json"), health);
  if (waitingIn([join(supervisor.queue.dir, "outbox")]).bytes < MOST_WAITING_BYTES) for (const sink of sinks) sink.health?.(health);
}

function healthOf(name: string, { queue, state, since_s, restarts, standing, verdict, current, lost_s, error }: Supervisor): RigHealth {
  const { lag_s, bytes } = waitingIn(outboxesOf(queue.dir), now_s());
  const { cells, ended } = standing ?? {};
  const { valid, reason, energy_per_token_j } = verdict ?? {};
  return {
    ...{ rig: name, host: hostName(), state, at_s: now_s(), since_s, restarts, database_lag_s: lag_s, outbox_bytes: bytes },
    queued: queue.plans().length - (current ? 1 : 0),
    ...(current ? { plan: current.plan, out: current.out } : {}),
    ...(current && cells !== undefined ? { cell: ended ?? 0, cells } : {}),
    ...(valid === undefined ? {} : { valid }),
    ...(reason === undefined ? {} : { reason }),
    ...(energy_per_token_j === undefined ? {} : { energy_per_token_j }),
    ...(lost_s === undefined ? {} : { lost_s }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Outboxes of a bench's sessions. */
function outboxesOf(dir: string): string[] {
  const sessions = join(dir, "sessions");
  return readdirSync(sessions).flatMap((out) => {
    const cells = join(sessions, out, "cells");
    const named = existsSync(cells) ? readdirSync(cells).map((cell) => join(cells, cell)) : [join(sessions, out)];
    return named.map((session) => join(session, "outbox")).filter((outbox) => existsSync(outbox));
  });
}
