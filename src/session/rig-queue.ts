import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { z } from "zod";
import { JoulebenchError } from "../model/errors.ts";
import { writeJson, writeWhole } from "../store/session-file.ts";

/** A file that was changed within this time may still be being copied. */
const SETTLED_S = 2;

const Current = z.object({ plan: z.string(), out: z.string() });

/** The plan under way: its file in `queue/`, and the folder in `sessions/` it is measured into. */
export type Current = z.infer<typeof Current>;

/**
 * The plans of one bench, as files: `queue/` in the order of their names, `done/` and `failed/` under the name of the
 * folder in `sessions/` that they were measured into.
 *
 * A plan stays in the queue until it is over, and `current.json` says which one was begun: whatever ends the daemon,
 * the next one goes on with it.
 */
export class RigQueue {
  /** `rigs/pi5` beside `rigs/pi5.yaml`. */
  readonly dir: string;

  /** @throws JoulebenchError `sink` when its folders cannot be made */
  constructor(dir: string) {
    this.dir = dir;
    orSink(dir, () => {
      for (const name of ["queue", "done", "failed", "sessions"]) mkdirSync(join(dir, name), { recursive: true });
    });
  }

  planPath({ plan }: Pick<Current, "plan">): string {
    return join(this.dir, "queue", plan);
  }

  outDir({ out }: Pick<Current, "out">): string {
    return join(this.dir, "sessions", out);
  }

  /** Names of the plans in the queue, the one under way among them. */
  plans(): string[] {
    return readdirSync(join(this.dir, "queue"), { withFileTypes: true })
      .filter((entry) => entry.isFile() && /^[^.].*\.ya?ml$/.test(entry.name))
      .map(({ name }) => name)
      .toSorted();
  }

  /** The plan that was begun and is not over; one that was taken out of the queue meanwhile is given up. */
  current(): Current | undefined {
    const current = this.#kept();
    if (!current || existsSync(this.planPath(current))) return current;
    this.#forget();
    return undefined;
  }

  /** Begins the next plan. @param now_s Unix time @throws JoulebenchError `sink` when that cannot be written */
  begin(now_s: number): Current | undefined {
    const plan = this.plans().find((name) => isSettled(join(this.dir, "queue", name), now_s));
    if (plan === undefined) return undefined;
    const current = { plan, out: this.#newOut(plan, now_s) };
    writeJson(join(this.dir, "current.json"), current);
    return current;
  }

  /** Moves a plan that is over out of the queue. @param why it failed; without it, it is done */
  finish(current: Current, why?: string): void {
    const to = join(this.dir, why === undefined ? "done" : "failed", current.out);
    if (why !== undefined) writeWhole(`${to}.txt`, `${why}\n`);
    orSink(to, () => {
      if (existsSync(this.planPath(current))) renameSync(this.planPath(current), `${to}${extname(current.plan)}`);
    });
    this.#forget();
  }

  #kept(): Current | undefined {
    try {
      return Current.parse(JSON.parse(readFileSync(join(this.dir, "current.json"), "utf8")));
    } catch {
      return undefined;
    }
  }

  #forget(): void {
    orSink(this.dir, () => rmSync(join(this.dir, "current.json"), { force: true }));
  }

  #newOut(plan: string, now_s: number): string {
    const stamp = new Date(now_s * 1000).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
    const name = `${stamp}-${basename(plan, extname(plan))}`;
    let [out, n] = [name, 1];
    while (
      existsSync(this.outDir({ out })) ||
      ["done", "failed"].some((over) => existsSync(join(this.dir, over, `${out}${extname(plan)}`)))
    )
      out = `${name}-${++n}`;
    return out;
  }
}

/** A clock that was set back makes files of the future, which wait for nobody. */
function isSettled(path: string, now_s: number): boolean {
  const age_s = now_s - statSync(path).mtimeMs / 1000;
  return age_s < 0 || age_s >= SETTLED_S;
}

function orSink<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new JoulebenchError("sink", path, `cannot be written (${cause instanceof Error ? cause.message : cause})`, { cause });
  }
}
