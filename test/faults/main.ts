import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { again, killed, owned, sh, starved, terminated, traced, type Verdict } from "./cases.ts";
import { sweepAll, sweepSizes } from "./injection.ts";
import { full, outOfMemory, powerCut } from "./mounts.ts";

/*
 * The whole fault matrix of the tape, with a line for each case; what cannot run here says why. Some need root.
 * Exit code 1 when a case does not hold.
 */

interface Case {
  readonly name: string;
  /** What it needs and this machine has not. */
  readonly lacks?: string | undefined;
  readonly run: (dir: string) => Promise<Verdict>;
}

const isRoot = process.getuid?.() === 0;
const root = isRoot ? undefined : "needs root";
const tracer = sh("strace", "-V") ? undefined : "needs strace";
const ext4 = root ?? (existsSync("/dev/loop-control") && sh("mkfs.ext4", "-V") ? undefined : "needs loop devices and mkfs.ext4");
const memory = root ?? (existsSync("/sys/fs/cgroup/memory/memory.limit_in_bytes") ? undefined : "needs the memory controller of cgroup v1");

/** Chance with a seed (mulberry32), so that a run can be done again. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same case at several points, as one. */
async function each<T>(points: readonly T[], run: (point: T) => Promise<Verdict>): Promise<Verdict> {
  const verdicts: Verdict[] = [];
  for (const point of points) verdicts.push(await run(point));
  return { wrongs: verdicts.flatMap(({ wrongs }) => wrongs), detail: `${points.length} points; the last: ${verdicts.at(-1)?.detail}` };
}

const upTo = (n: number, step = 1): number[] => Array.from({ length: n }, (_, k) => 1 + k * step);
/** Arguments: the seed, and a part of the names of the cases to run. */
const seed = Number(process.argv[2] ?? 1);
const wanted = process.argv[3] ?? "";
const swept = ({ runs, wrongs }: { runs: number; wrongs: readonly string[] }): Verdict => ({ wrongs, detail: `${runs} runs` });

const CASES: readonly Case[] = [
  { name: "a call to the disk fails, each in its turn", run: async (dir) => swept(await sweepAll(dir)) },
  { name: "space ends at any byte, injected", run: async (dir) => swept(await sweepSizes(dir, 61)) },
  { name: "kill -9 at random moments", run: (dir) => killed(dir, 200, chance(seed)) },
  { name: "recording again after kill -9", run: again },
  {
    name: "kill -9 at the Nth write",
    lacks: tracer,
    run: (dir) => each(upTo(12, 3), (n) => traced(dir, `write:signal=KILL:when=${n}`, "kill")),
  },
  {
    name: "kill -9 at the Nth fdatasync",
    lacks: tracer,
    run: (dir) => each(upTo(5), (n) => traced(dir, `fdatasync:signal=KILL:when=${n}`, "kill")),
  },
  {
    name: "EIO at the Nth write",
    lacks: tracer,
    run: (dir) =>
      each(
        upTo(5, 7).map((n) => n + 12),
        (n) => traced(dir, `write:error=EIO:when=${n}`, "error"),
      ),
  },
  {
    name: "EIO at the Nth fdatasync",
    lacks: tracer,
    run: (dir) => each(upTo(4), (n) => traced(dir, `fdatasync:error=EIO:when=${n}`, "error")),
  },
  { name: "power cut, ext4", lacks: ext4, run: (dir) => each(upTo(8, 137), (ms) => powerCut(dir, ms)) },
  {
    name: "disk full, space comes back, tmpfs",
    lacks: root,
    run: (dir) =>
      each(
        upTo(7, 100).map((k) => k + 300),
        (kb) => full(dir, kb, true),
      ),
  },
  {
    name: "disk full for good, tmpfs",
    lacks: root,
    run: (dir) =>
      each(
        upTo(7, 100).map((k) => k + 200),
        (kb) => full(dir, kb, false),
      ),
  },
  { name: "out of memory", lacks: memory, run: outOfMemory },
  { name: "stopped for two seconds", run: starved },
  { name: "SIGTERM while it writes", run: (dir) => each([1, 1, 1] as const, (n) => terminated(dir, n)) },
  { name: "SIGTERM twice", run: (dir) => each([2, 2, 2] as const, (n) => terminated(dir, n)) },
  { name: "two processes on one folder", run: owned },
];

const scratch = mkdtempSync(join(tmpdir(), "joulebench-faults-"));
process.stdout.write(`seed ${seed}\n`);
for (const [k, { name, lacks, run }] of CASES.entries()) {
  if (!name.includes(wanted)) continue;
  const began = performance.now();
  const verdict = lacks === undefined ? await run(join(scratch, `case-${k}`)) : undefined;
  const state = !verdict ? "not run" : verdict.wrongs.length === 0 ? "holds" : "FAILS";
  if (state === "FAILS") process.exitCode = 1;
  const took = verdict ? `${((performance.now() - began) / 1000).toFixed(0)} s` : "";
  process.stdout.write(`${state.padEnd(8)} ${name.padEnd(46)} ${took.padStart(5)}  ${verdict ? verdict.detail : lacks}\n`);
  for (const wrong of verdict?.wrongs.slice(0, 10) ?? []) process.stdout.write(`           ${wrong}\n`);
}
rmSync(scratch, { recursive: true, force: true });
