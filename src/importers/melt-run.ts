/** One prompt of a MELT run. Times are seconds since 1970 on the clock of whoever wrote them. */
export interface MeltPrompt {
  readonly name: string;
  readonly start_s: number;
  readonly end_s: number;
  /** Tokens of the prompt, and the count by which MELT divides. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** When output tokens appeared, the first of them first; only that one where single tokens are not known, none where nothing is. */
  readonly tokens: readonly number[];
  /** Output tokens in all, the first included. */
  readonly generated: number;
  /** Whether MELT's own script reads it. */
  readonly isReported: boolean;
}

export interface MeltLoad {
  readonly name: string;
  readonly start_s: number;
  readonly end_s: number;
}

/** What the files of an app or an engine say, and which of MELT's defects they show. */
export interface MeltRun {
  /** Whose clock the times are on: the phone's, or that of the computer that recorded the power. */
  readonly clock: "phone" | "host";
  readonly engine: "app" | "llama.cpp" | "mlc-cli";
  readonly model: string | undefined;
  readonly prompts: readonly MeltPrompt[];
  readonly loads: readonly MeltLoad[];
  readonly thermals: readonly { readonly at_s: number; readonly state: string }[];
  /** Sentences about what these files lack. */
  readonly defects: readonly string[];
  /** Standard uncertainty of the times of single tokens beside the others', seconds. */
  readonly u_s: number;
  /** Whether every event falls on a whole millisecond, which Android's clock gives; undefined without events. */
  readonly wholeMilliseconds: boolean | undefined;
}
