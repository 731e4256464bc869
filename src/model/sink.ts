import type { z } from "zod";
import type { Fault, FaultCode } from "./errors.ts";
import type { InferenceEvent } from "./event.ts";
import type { RigHealth, SecondsSeen } from "./health.ts";
import type { Reading } from "./reading.ts";
import type { Results } from "./results.ts";

/** Mean, least and largest power of one channel over a short interval of session time. */
export interface PowerMean {
  readonly source: string;
  readonly start_s: number;
  readonly end_s: number;
  readonly mean_w: number;
  readonly min_w: number;
  readonly max_w: number;
  /** Means over the same samples, where the instrument gives them. */
  readonly current_a?: number;
  readonly voltage_v?: number;
}

/** What became of the points a sink was given. */
export interface SinkOutcome {
  /** Points its service took since it was opened. */
  readonly sent: number;
  /** Points it will never take, or that could not be kept for it. */
  readonly refused: number;
  /** Points that are kept on disk and were not taken yet: `joulebench resend` sends them. */
  readonly waiting: number;
  /** Why, when either is above 0. */
  readonly reason?: string;
}

/** How long the end may take. */
export interface Patience {
  /** Sending goes on for at most so long. */
  readonly within_ms: number;
  /** It is given up earlier when nothing could be delivered for so long. */
  readonly fruitless_ms: number;
  readonly signal?: AbortSignal;
}

/**
 * Where copies of results go. A sink takes what it cares about, never blocks and never throws: what its service does
 * not take at once waits in files, and only the store acknowledges.
 */
export interface Sink {
  readonly kind: string;
  /** Means of power it is given per second. */
  readonly rate_hz: number;
  power?(mean: PowerMean): void;
  event?(event: InferenceEvent, at_s: number): void;
  reading?(reading: Reading, at_s: number): void;
  fault?(fault: Fault): void;
  results?(results: Results): void;
  /** Looks at the clock of the service; undefined where it does not answer, or shows none. Never rejects. */
  clock?(): Promise<SecondsSeen | undefined>;
  /** Of a bench, told by its daemon outside of any session. */
  health?(health: RigHealth): void;
  /** Nothing more is to come; sends what is left as long as `patience` lasts. Without any it ends at once, and what it has is not whole. */
  close(patience?: Patience): Promise<SinkOutcome>;
}

/** What a sink is told about the session it serves. The same session says the same, live and sent again. */
export interface SinkContext {
  readonly rig: string;
  /** The host that measures, by its name. */
  readonly host: string;
  readonly session: string;
  /** Wall time at session zero: nanoseconds since 1970, UTC. A bigint, because a number cannot hold it exactly. */
  readonly wallStart_ns: bigint;
  /** What ran: engine, model, quantisation, as far as the plan says. */
  readonly work: Readonly<Partial<Record<"engine" | "model" | "quant", string>>>;
  /** Folder for points that wait; the sink makes it, and goes on with what is there. */
  readonly outbox: string;
  /** What is in the outbox is a part of what will be told now: it is thrown away. */
  readonly anew?: boolean;
  /** Counts refused points: the first of each reason at once, the rest when the sink closes. */
  readonly fault: (code: FaultCode, count: number, detail?: string) => void;
  /** One sentence for the user while measuring goes on, once per reason: nothing is lost yet, but something is wrong. */
  readonly notice: (message: string) => void;
}

/** One thing that {@link SinkKind.setup} does at the service. */
export interface SetupStep {
  /** As a user would say it to the service: a query, or method, path and body. */
  readonly text: string;
  /** @throws JoulebenchError `sink` with the service's words */
  run(): Promise<void>;
}

export interface SinkKind {
  readonly kind: string;
  /** One line for `init` and the docs. */
  readonly summary: string;
  /** The rig keys this sink understands, besides `kind`. */
  readonly options: z.ZodObject;
  /**
   * @throws JoulebenchError `config` for what the rig must change, `link` while another process has the outbox, `sink` when
   * the outbox cannot be made. A service that is down is no error.
   */
  readonly open: (options: unknown, context: SinkContext) => Sink;
  /** What has to be made at the service once, in order; doing it again changes nothing. @throws JoulebenchError `config` */
  readonly setup: (options: unknown) => readonly SetupStep[];
}

/** A sink whose `open` takes the options its own schema gives. */
export interface SinkDefinition<S extends z.ZodObject> extends Omit<SinkKind, "options" | "open" | "setup"> {
  readonly options: S;
  readonly open: (options: z.infer<S>, context: SinkContext) => Sink;
  readonly setup: (options: z.infer<S>) => readonly SetupStep[];
}

/** Ties a sink to its options schema; the one cast is safe because the rig parsed the options with that schema. */
export function defineSink<S extends z.ZodObject>(definition: SinkDefinition<S>): SinkKind {
  return definition as unknown as SinkKind;
}
