/**
 * What a bench is doing: a child process measures; nothing is queued; a child ended before its plan and is started
 * again after a pause; another process has the rig; the rig file cannot be used; the daemon was ended.
 */
export type RigState = "measuring" | "idle" | "waiting" | "held" | "broken" | "stopped";

/** How far this host's clock is from a server's: ours minus theirs, seconds. The truth lies within the bound of the offset. */
export interface ClockOffset {
  readonly offset_s: number;
  readonly bound_s: number;
}

/** One look at a clock that shows whole seconds. Unix times, seconds: ours before asking and after the answer, and what it showed. */
export interface SecondsSeen {
  readonly sent_s: number;
  readonly received_s: number;
  readonly shown_s: number;
}

/** How a bench is, as its daemon knows it. What is not known is absent. */
export interface RigHealth {
  readonly rig: string;
  readonly host: string;
  readonly state: RigState;
  /** Unix times, seconds. */
  readonly at_s: number;
  readonly since_s: number;
  /** Name of the plan's file, and of the folder below `sessions/` it is measured into. */
  readonly plan?: string;
  readonly out?: string;
  /** Cells of the plan that had their turn, and all of them. */
  readonly cell?: number;
  readonly cells?: number;
  /** Plans that wait in the queue, the one under way not among them. */
  readonly queued: number;
  /** Times a process was started again, since the daemon began. */
  readonly restarts: number;
  /** Of the last session: whether it is valid, and why not. */
  readonly valid?: boolean;
  readonly reason?: string;
  /** Of the last session that has one: energy of a decoded token, J/token. */
  readonly energy_per_token_j?: number;
  /** At most so much was heard and not kept when a process was last cut off, seconds. */
  readonly lost_s?: number;
  /** What went wrong last. */
  readonly error?: string;
  /** Age of the oldest point that waits for the database, seconds; 0 when none waits. */
  readonly database_lag_s: number;
  /** Bytes that wait for it. */
  readonly outbox_bytes: number;
  readonly clock?: ClockOffset;
}
