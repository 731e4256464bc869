import { existsSync, renameSync } from "node:fs";
import { resolve } from "node:path";
import type { RigState } from "../model/health.ts";
import type { Child, Exit } from "./child.ts";
import type { Holder } from "./owner-lock.ts";
import { lastKept_s, type Standing, standingOf } from "./plan-standing.ts";
import type { Current, RigQueue } from "./rig-queue.ts";

/** A plan is set aside when its process died so often without one more cell having had its turn. */
const MOST_DEATHS = 5;
/** Pause before a process is started again; it doubles with each death, up to the longest. */
const FIRST_PAUSE_S = 1;
const LONGEST_PAUSE_S = 60;
/** A rig that cannot be used, or is in use, is looked at again after this. */
const LOOK_AGAIN_S = 5;
const CODES = { config: 2, sink: 4 } as const;

/** What the supervisor needs of the world; time and processes are given, so that tests need not wait. */
export interface World {
  /** Unix time, seconds. */
  readonly now_s: () => number;
  readonly start: (argv: readonly string[], log: string) => Child;
  /** A process that was not started here. */
  readonly adopt: (holder: Holder) => Child;
  readonly holder: (rigPath: string) => Holder | undefined;
  /** Why the rig file cannot be used; undefined when it can. */
  readonly problem: (rigPath: string) => string | undefined;
  readonly say: (message: string) => void;
}

/**
 * Keeps one process at work on the plans of one rig: starts it, and starts it again when it dies, in the folder of
 * before, so that it goes on at the next cell. Everything happens in {@link poll}.
 */
export class Supervisor {
  readonly rigPath: string;
  readonly queue: RigQueue;
  readonly #world: World;
  #child: Child | undefined;
  #current: Current | undefined;
  #endedBefore = 0;
  #deaths = 0;
  #retry_s = 0;
  #stopping = false;
  state: RigState = "idle";
  since_s: number;
  restarts = 0;
  error: string | undefined;
  lost_s: number | undefined;
  /** Of the plan under way, or the last one. */
  standing: Standing | undefined;
  /** The last standing that holds a judged session: a plan that has none yet does not make it forgotten. */
  verdict: Standing | undefined;

  constructor(rigPath: string, queue: RigQueue, world: World) {
    this.rigPath = rigPath;
    this.queue = queue;
    this.#world = world;
    this.since_s = world.now_s();
  }

  get current(): Current | undefined {
    return this.#current;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Ends the process in order; called again, at once. */
  stop(): void {
    this.#stopping = true;
    this.#child?.kill("SIGTERM");
  }

  /** Ends a process that does not end. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  /** Does what is due now. @throws JoulebenchError `sink` when the queue's folder cannot be written */
  poll(): void {
    if (this.#child) {
      if (!this.#child.ended) {
        this.#watch();
        return;
      }
      const { ended } = this.#child;
      this.#child = undefined;
      this.#conclude(ended);
    }
    if (this.#stopping) {
      this.#enter("stopped");
      return;
    }
    if (this.#world.now_s() < this.#retry_s) return;
    this.#next();
  }

  #watch(): void {
    if (this.#current) this.#see(standingOf(this.queue.outDir(this.#current)));
  }

  #see(standing: Standing): void {
    this.standing = standing;
    if (standing.valid !== undefined) this.verdict = standing;
  }

  #next(): void {
    const problem = this.#world.problem(this.rigPath);
    if (problem !== undefined) {
      this.#lookAgain("broken", problem);
      return;
    }
    this.#current = this.queue.current();
    const holder = this.#world.holder(this.rigPath);
    if (holder) {
      this.#held(holder);
      return;
    }
    this.#current ??= this.queue.begin(this.#world.now_s());
    if (this.#current) this.#start(this.#current);
    else this.#enter("idle");
  }

  /** An earlier daemon was killed and its process goes on measuring: that is ours. Another's is waited for. */
  #held(holder: Holder): void {
    const current = this.#current;
    if (!current || resolve(holder.out) !== resolve(this.queue.outDir(current))) {
      this.#lookAgain("held", `process ${holder.pid} measures with this rig, into ${holder.out}`);
      return;
    }
    this.#world.say(`${current.plan}: process ${holder.pid} of an earlier daemon goes on with it`);
    this.#take(current, this.#world.adopt(holder));
  }

  #start(current: Current): void {
    const out = this.queue.outDir(current);
    const standing = standingOf(out);
    // A single session cannot be resumed: what there is of it is kept beside the new one.
    if (!standing.resumable && standing.session) setAside(out);
    const begun = standing.resumable ? ["--resume", out] : ["--out", out];
    this.#world.say(
      `${current.plan}: ${standing.resumable ? `goes on, ${standing.ended} of ${standing.cells} cells had their turn` : "begins"}`,
    );
    this.#take(current, this.#world.start(["run", this.rigPath, "--plan", this.queue.planPath(current), ...begun], `${out}.log`));
  }

  #take(current: Current, child: Child): void {
    this.#child = child;
    const standing = standingOf(this.queue.outDir(current));
    this.#see(standing);
    this.#endedBefore = standing.ended;
    this.#enter("measuring");
  }

  /** What an end of the process means: by its folder first, which is right for one that was adopted, too. */
  #conclude({ code, at_s, reason }: Exit): void {
    const current = this.#current!;
    const out = this.queue.outDir(current);
    const standing = standingOf(out);
    this.#see(standing);
    if (standing.complete) {
      this.#finish(current, standing.measured > 0 ? undefined : (reason ?? "no cell could be measured"));
      return;
    }
    if (this.#stopping) return;
    if (code === CODES.config) {
      this.#finish(current, reason ?? "the plan or the rig cannot be used");
      return;
    }
    if (code === null) this.#tellLoss(out, at_s);
    this.#died(current, code, reason ?? (code === null ? "its process was killed" : `its process ended with exit code ${code}`));
  }

  #tellLoss(out: string, at_s: number): void {
    const kept_s = lastKept_s(out);
    this.lost_s = kept_s === undefined ? undefined : Math.max(0, at_s - kept_s);
  }

  #died(current: Current, code: number | null, reason: string): void {
    this.#deaths = standingOf(this.queue.outDir(current)).ended > this.#endedBefore ? 1 : this.#deaths + 1;
    // A full disk is no fault of the plan.
    if (this.#deaths >= MOST_DEATHS && code !== CODES.sink) {
      this.#finish(current, `${reason}; its process ended ${this.#deaths} times without one more cell`);
      return;
    }
    const pause_s = Math.min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (this.#deaths - 1));
    const lost = this.lost_s === undefined ? "" : `, ${this.lost_s.toFixed(1)} s before that were not kept`;
    this.#world.say(`${current.plan}: ${reason}${lost}; it is started again in ${pause_s} s`);
    this.restarts++;
    this.error = reason;
    this.#retry_s = this.#world.now_s() + pause_s;
    this.#enter("waiting");
  }

  #finish(current: Current, why?: string): void {
    this.queue.finish(current, why);
    this.#world.say(`${current.plan}: ${why === undefined ? `done, in ${current.out}` : `failed: ${why}`}`);
    this.error = why;
    this.#deaths = 0;
    this.#current = undefined;
    this.#enter("idle");
  }

  #lookAgain(state: RigState, error: string): void {
    if (this.state !== state || this.error !== error) this.#world.say(error);
    this.error = error;
    this.#retry_s = this.#world.now_s() + LOOK_AGAIN_S;
    this.#enter(state);
  }

  #enter(state: RigState): void {
    if (this.state === state) return;
    this.state = state;
    this.since_s = this.#world.now_s();
  }
}

function setAside(out: string): void {
  let n = 1;
  while (existsSync(`${out}.interrupted-${n}`)) n++;
  renameSync(out, `${out}.interrupted-${n}`);
}
