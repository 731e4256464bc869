import type { Engine, EngineAnswer, EngineRequest } from "../model/engine.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Outcome } from "../model/event.ts";
import type { CellPlan } from "../rig/experiment.ts";
import type { Items } from "../rig/items.ts";
import { type PlannedRequest, type Requests, requestsOf } from "../rig/requests.ts";

/** What is done on a device between the two idle phases of a session, driven from here. */
export interface Workload {
  /** Makes everything resident; afterwards the device is as idle as it gets with the model loaded. @throws JoulebenchError `config` when it cannot be loaded */
  prepare(): Promise<void>;
  /** Requests that bring the device to its working state: named `warmup-…`, kept, and not counted. */
  warmUp(): Promise<void>;
  /** The measured requests, one after another. @throws JoulebenchError `link` when the device is lost */
  work(): Promise<readonly Answered[]>;
  /** Gives up the request under way and asks nothing more: what is awaited ends soon. */
  giveUp(): void;
  /** Leaves nothing of it running. */
  close(): Promise<void>;
}

/** What came of one request. */
export interface Answered {
  readonly request: string;
  readonly outcome: Outcome;
  readonly detail?: string;
  /** 1 or 0, where answers are judged. */
  readonly correct?: number;
}

/** Beginning and end of a unit of work, as the session states them: on the host's clock, and on the tape before they count. */
export interface UnitStatement {
  readonly type: "unit_start" | "unit_end";
  readonly request: string;
  readonly unit: string;
  readonly count?: number;
  readonly correct?: number;
}

export interface WorkloadContext {
  readonly signal: AbortSignal;
  readonly state: (statement: UnitStatement) => void;
  /** Lets time pass, or less when the session ends. */
  readonly pause: (duration_s: number) => Promise<unknown>;
}

/** The workload of a plan on an engine. */
export class EngineWorkload implements Omit<Workload, "giveUp"> {
  readonly #engine: Engine;
  readonly #plan: CellPlan;
  readonly #items: Items;
  readonly #context: WorkloadContext;
  #asked = 0;

  constructor(engine: Engine, { plan, items }: { readonly plan: CellPlan; readonly items: Items }, context: WorkloadContext) {
    this.#engine = engine;
    this.#plan = plan;
    this.#items = items;
    this.#context = context;
  }

  async prepare(): Promise<void> {
    const { outcome, detail = "it does not say why" } = await this.#engine.load();
    if (outcome !== "ok" && !this.#context.signal.aborted)
      throw new JoulebenchError("config", "the engine", `could not load its model (${outcome}): ${detail}`);
  }

  async warmUp(): Promise<void> {
    let requests = this.#requests();
    let next = requests.next();
    for (let i = 1; i <= this.#plan.warm_up && !this.#context.signal.aborted; i++) {
      if (next.done) {
        requests = this.#requests();
        next = requests.next();
      }
      if (next.done) return; // A workload without requests.
      await this.#rest();
      next = requests.next(await this.#ask({ ...next.value.request, id: `warmup-${i}` }));
    }
  }

  async work(): Promise<Answered[]> {
    const answered: Answered[] = [];
    const requests = this.#requests();
    for (let next = requests.next(); !next.done && !this.#context.signal.aborted; ) {
      const answer = await this.#measured(next.value, answered);
      next = requests.next(answer);
    }
    return answered;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  #requests(): Requests {
    return requestsOf(this.#plan.workload, this.#items, this.#plan.limits.request_s);
  }

  async #measured({ request, unit, judge }: PlannedRequest, answered: Answered[]): Promise<EngineAnswer> {
    const { id } = request;
    await this.#rest();
    if (unit !== undefined) this.#context.state({ type: "unit_start", request: id, unit });
    const answer = await this.#ask(request);
    const correct = judge && (answer.outcome === "ok" ? judge(answer.text) : 0);
    const score = correct === undefined ? {} : { correct };
    const count = answer.outcome === "ok" ? 1 : 0;
    if (unit !== undefined) this.#context.state({ type: "unit_end", request: id, unit, count, ...score });
    const { outcome, detail } = answer;
    answered.push({ request: id, outcome, ...(detail === undefined ? {} : { detail }), ...score });
    return answer;
  }

  #ask(request: EngineRequest): Promise<EngineAnswer> {
    this.#asked++;
    return this.#engine.ask(request);
  }

  /** Before every request but the very first. */
  async #rest(): Promise<void> {
    if (this.#asked > 0 && this.#plan.pause_s > 0) await this.#context.pause(this.#plan.pause_s);
  }
}
