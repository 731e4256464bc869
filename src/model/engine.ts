import type { z } from "zod";
import type { HostNs } from "./clock.ts";
import type { Outcome } from "./event.ts";
import type { Transport } from "./transport.ts";

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** What is asked of an engine at once: one prompt, or one turn of a chat, or one run of a command. */
export interface EngineRequest {
  /** Names the request in events and results. */
  readonly id: string;
  /** The text, or the whole chat up to and with the user's last message. Absent where only lengths matter. */
  readonly prompt?: string | readonly ChatMessage[];
  /** Without a prompt: so many prompt tokens, whatever they are. */
  readonly promptTokens?: number;
  /** At most so many output tokens; absent: the engine's own limit. */
  readonly outputTokens?: number;
  /** Exactly `outputTokens`: the end-of-sequence token is ignored. */
  readonly ignoresEos?: boolean;
  /** Whether the engine may keep the tokens of the chat so far instead of prefilling them again. */
  readonly reusesCache?: boolean;
  /** The request is given up after this long. */
  readonly limit_s: number;
}

/** What came of a request. Everything measured is in its events; this is for the plan, its log and its score. */
export interface EngineAnswer {
  readonly outcome: Outcome;
  /** What the engine answered, as far as it did. */
  readonly text: string;
  /** Why, where the outcome is not `ok`: the engine's own words, bounded. */
  readonly detail?: string;
}

/** A workload on the device, driven from here. Events come of what it prints, not of this object. */
export interface Engine {
  /** Makes the model resident and resolves when the engine is idle again. Called before `ask`; an engine that died does it anew. */
  load(): Promise<EngineAnswer>;
  /** One request after another; a failed one is an answer, not an error. @throws JoulebenchError `link` when the device is lost */
  ask(request: EngineRequest): Promise<EngineAnswer>;
  /** Ends the engine and leaves nothing of it running. */
  close(): Promise<void>;
}

/** What a driver is given. Whatever it hears and says passes through here, so that it is on the tape before it counts. */
export interface EngineContext {
  readonly transport: Transport;
  /** Nanoseconds of the host's monotonic clock since the session opened. */
  readonly now: () => HostNs;
  /** A line of the engine, with the stamp of its arrival. */
  readonly hear: (text: string, host_ns: HostNs) => void;
  /** States what is about to be sent or started, as one line; @returns its stamp, taken just now */
  readonly say: (text: string) => HostNs;
  /** The session is being ended: give up what is under way. */
  readonly signal: AbortSignal;
}

export interface EngineKind {
  readonly kind: string;
  readonly summary: string;
  /** The plan keys this engine understands, besides `kind`. */
  readonly options: z.ZodObject;
  /** The event parser that reads what it hears and says. */
  readonly parser: string;
  /** @returns why it could never answer this, before anything is opened; a refusal by the engine itself is an answer */
  readonly refuses: (request: EngineRequest, options: unknown) => string | undefined;
  /** @throws JoulebenchError `config` for what the plan or the device must change */
  readonly open: (options: unknown, context: EngineContext) => Promise<Engine>;
}

/** An engine whose `open` takes the options its own schema gives. */
export interface EngineDefinition<S extends z.ZodObject> extends Omit<EngineKind, "options" | "refuses" | "open"> {
  readonly options: S;
  readonly refuses: (request: EngineRequest, options: z.infer<S>) => string | undefined;
  readonly open: (options: z.infer<S>, context: EngineContext) => Promise<Engine>;
}

/** Ties an engine to its options schema; the one cast is safe because the plan parsed the options with that schema. */
export function defineEngine<S extends z.ZodObject>(definition: EngineDefinition<S>): EngineKind {
  return definition as unknown as EngineKind;
}
