import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { SEGMENT_HEADER } from "../../src/store/record.ts";
import { readTape } from "./oracle.ts";
import { now_ns, Recording } from "./recording.ts";

/** A line of the table. */
export interface Verdict {
  /** What went wrong; nothing, when the case holds. */
  readonly wrongs: readonly string[];
  readonly detail: string;
}

/** Contract: so much may be lost to a kill, and so long may it take to record again. */
const KILL_LOSS_MS = 100;
const AGAIN_MS = 2000;

export const sh = (program: string, ...args: string[]): boolean => spawnSync(program, args, { stdio: "ignore" }).status === 0;

const tapeOf = (dir: string): string => join(dir, "tape");

const largest = (values: readonly number[]): number => Math.max(0, ...values);

/** Milliseconds between the last record on the tape and `at_ns`. */
function lost_ms(dir: string, at_ns: number): number {
  const last = [...readTape(tapeOf(dir)).records.values()].at(-1);
  return last ? (at_ns - last.host_ns) / 1e6 : Number.POSITIVE_INFINITY;
}

/** Ends recorders without warning at `times` moments. @param chance 0 to 1, where a recorder's life is ended */
export async function killed(dir: string, times: number, chance: (k: number) => number): Promise<Verdict> {
  const wrongs: string[] = [];
  const losses: number[] = [];
  for (let k = 0; k < times; k++) {
    const session = join(dir, `killed-${k}`);
    const recording = new Recording(session);
    await recording.until(() => recording.oracle.issued > 100);
    await new Promise((wake) => setTimeout(wake, 700 * chance(k)));
    recording.child.kill("SIGKILL");
    const at_ns = now_ns();
    await recording.ended;
    // What was said before the signal counts; the signal takes effect at once.
    const loss = lost_ms(session, Math.min(at_ns, recording.issued_ns));
    losses.push(loss);
    if (loss > KILL_LOSS_MS) wrongs.push(`kill ${k} lost ${loss.toFixed(0)} ms`);
    wrongs.push(...recording.oracle.wrongs(readTape(tapeOf(session)), "cut").map((wrong) => `kill ${k}: ${wrong}`));
    rmSync(session, { recursive: true });
  }
  return { wrongs, detail: `${times} kills, at most ${largest(losses).toFixed(0)} ms lost` };
}

/** Recording begins anew after a kill, beside a tape as long as a month's. */
export async function again(dir: string): Promise<Verdict> {
  const session = join(dir, "before");
  mkdirSync(tapeOf(session), { recursive: true });
  const fd = openSync(join(tapeOf(session), "000000.seg"), "wx");
  writeSync(fd, SEGMENT_HEADER);
  ftruncateSync(fd, 100e9);
  closeSync(fd);
  const recording = new Recording(join(dir, "killed"));
  await recording.until(() => recording.oracle.issued > 500);
  recording.child.kill("SIGKILL");
  await recording.ended;
  const at_ns = now_ns();
  const next = new Recording(join(dir, "next"), { lasts_s: 1 });
  await next.until(() => next.firstAcknowledged_ns > 0);
  const after_ms = (next.firstAcknowledged_ns - at_ns) / 1e6;
  next.child.kill("SIGTERM");
  await next.ended;
  rmSync(dir, { recursive: true });
  return {
    wrongs: after_ms > AGAIN_MS ? [`${after_ms.toFixed(0)} ms`] : [],
    detail: `acknowledged again ${after_ms.toFixed(0)} ms after the kill, beside a session of 100 GB`,
  };
}

/** One call of the recorder to its tape fails, or ends it, by the tracer. @param paths limits it to these files */
export async function traced(dir: string, inject: string, how: "error" | "kill"): Promise<Verdict> {
  const session = join(dir, "traced");
  const segment = join(tapeOf(session), "000000.seg");
  const [call = ""] = inject.split(":");
  // The tracer counts for each thread; with one of them that is the number of calls.
  const under = [
    "env",
    "UV_THREADPOOL_SIZE=1",
    "strace",
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    "-P",
    segment,
    "-e",
    `trace=${call}`,
    "-e",
    `inject=${inject}`,
  ];
  const recording = new Recording(session, { lasts_s: how === "error" ? 2.5 : 10, under });
  const code = await recording.ended;
  const found = readTape(tapeOf(session));
  const wrongs = [...recording.oracle.wrongs(found, how === "error" ? "closed" : "cut")];
  const suspect = found.lapses.filter(({ state }) => state === "suspect").length;
  if (how === "error" && (code !== 0 || suspect !== 1)) wrongs.push(`ended with ${code}, ${suspect} suspect stretches`);
  if (how === "kill") {
    if (code === 0) wrongs.push("was not killed");
    const loss = recording.oracle.issued === 0 ? 0 : lost_ms(session, recording.issued_ns);
    if (loss > KILL_LOSS_MS) wrongs.push(`lost ${loss.toFixed(0)} ms`);
  }
  rmSync(session, { recursive: true });
  return {
    wrongs: wrongs.map((wrong) => `${inject}: ${wrong}`),
    detail: how === "error" ? `${found.records.size} records, ${suspect} suspect stretch` : `${found.records.size} records kept`,
  };
}

/** A recorder that is stopped for a while, as by a debugger or a machine without time for it. */
export async function starved(dir: string): Promise<Verdict> {
  const session = join(dir, "starved");
  const recording = new Recording(session, { lasts_s: 5 });
  await recording.until(() => recording.oracle.acknowledged > 0);
  recording.child.kill("SIGSTOP");
  await new Promise((wake) => setTimeout(wake, 2000));
  recording.child.kill("SIGCONT");
  const code = await recording.ended;
  const wrongs = recording.oracle.wrongs(readTape(tapeOf(session)), "closed");
  const { before, after } = recording.farewell!;
  if (code !== 0) wrongs.push(`ended with ${code}`);
  if (before && after.fds > before.fds) wrongs.push(`${before.fds} descriptors became ${after.fds}`);
  rmSync(session, { recursive: true });
  return { wrongs, detail: `stopped for 2 s; ${before?.fds} descriptors before, ${after.fds} after; ${after.rss_mb.toFixed(0)} MB` };
}

/** Ended by a signal, or by two at once. */
export async function terminated(dir: string, signals: 1 | 2): Promise<Verdict> {
  const session = join(dir, "terminated");
  const recording = new Recording(session, { rate_hz: 20_000 });
  await recording.until(() => recording.oracle.issued > 20_000);
  const at_ns = now_ns();
  for (let k = 0; k < signals; k++) recording.child.kill("SIGTERM");
  const code = await recording.ended;
  const took_ms = (now_ns() - at_ns) / 1e6;
  const found = readTape(tapeOf(session));
  const isWhole = found.records.has(recording.oracle.issued - 1);
  const wrongs = recording.oracle.wrongs(found, signals === 1 ? "closed" : "cut");
  if (took_ms > 5000) wrongs.push(`took ${took_ms.toFixed(0)} ms`);
  if (!isWhole) wrongs.push("what was heard last is not there");
  // Two signals that come at once may be one to the process.
  if (code !== 0 && !(signals === 2 && code === 130)) wrongs.push(`ended with ${code}`);
  rmSync(session, { recursive: true });
  return { wrongs, detail: `ended with ${code} after ${took_ms.toFixed(0)} ms, everything there` };
}

/** Two recorders on one folder; then one that finds the lock of a recorder that was killed. */
export async function owned(dir: string): Promise<Verdict> {
  const session = join(dir, "owned");
  const first = new Recording(session);
  await first.until(() => first.oracle.issued > 0);
  const at_ns = now_ns();
  const second = new Recording(session);
  const code = await second.ended;
  const took_ms = (now_ns() - at_ns) / 1e6;
  const wrongs: string[] = [];
  if (code === 0 || !second.complaint.includes(session)) wrongs.push(`the second ended with ${code}: ${second.complaint}`);
  if (took_ms > 2000) wrongs.push(`the second took ${took_ms.toFixed(0)} ms`);
  first.child.kill("SIGTERM");
  if ((await first.ended) !== 0) wrongs.push("the first was disturbed");
  wrongs.push(...first.oracle.wrongs(readTape(tapeOf(session)), "closed"));
  rmSync(session, { recursive: true });
  return { wrongs, detail: `the second ended with ${code} after ${took_ms.toFixed(0)} ms: ${second.complaint.trim()}` };
}
