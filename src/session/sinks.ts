import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { toSession } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Results } from "../model/results.ts";
import type { Patience, Sink, SinkContext, SinkKind } from "../model/sink.ts";
import type { Rig } from "../rig/rig.ts";
import { sinks as kinds } from "../sinks/index.ts";
import type { SessionFile } from "../store/session-file.ts";
import { powerMeans } from "./means.ts";
import { lockFile } from "./owner-lock.ts";
import type { Streams } from "./streams.ts";

/** A session ends at most so long after its last result because of a sink, and at once where the service just failed. */
const AT_THE_END: Patience = { within_ms: 5000, fruitless_ms: 0 };

/** The session that sinks are told of. */
export interface Told extends Pick<SinkContext, "host" | "session" | "wallStart_ns"> {
  readonly dir: string;
  /** As `session.json` keeps it. */
  readonly plan: unknown;
}

/** What `session.json` says of it, so that what is sent again says the same. */
export const toldOf = (dir: string, { session, host = {}, wallStart_ns, plan }: SessionFile): Told => ({
  ...{ dir, session, plan },
  host: host.name ?? "",
  wallStart_ns: BigInt(wallStart_ns),
});

/** Where a sink keeps what its service has not taken. */
export const outboxOf = (dir: string, { kind }: SinkKind): string => join(dir, "outbox", kind);

/** What a sink is told about a session, the same live and later. */
export function sinkContext(kind: SinkKind, rig: Rig, told: Told, notice: (message: string) => void): SinkContext {
  const { host, session, wallStart_ns, dir, plan } = told;
  const fault = (_code: string, count: number, detail?: string): void =>
    notice(`${kind.kind}: ${count} points refused${detail ? `, ${detail}` : ""}`);
  const about = { rig: rig.name, host, session, wallStart_ns, work: workOf(plan), outbox: outboxOf(dir, kind) };
  return { ...about, notice: (message) => notice(`${kind.kind}: ${message}`), fault };
}

/**
 * Opens a sink as the only one that sends what its outbox holds, until it is closed.
 *
 * @throws JoulebenchError `link` while another process sends it, `sink` when there is no place for it
 */
export function openSink(kind: SinkKind, options: unknown, context: SinkContext): Sink {
  const { outbox } = context;
  try {
    mkdirSync(outbox, { recursive: true });
  } catch (cause) {
    throw new JoulebenchError("sink", outbox, `cannot be made (${cause instanceof Error ? cause.message : cause}); choose another --out`, {
      cause,
    });
  }
  const release = lockFile(join(outbox, "lock"), outbox, {
    subject: outbox,
    heldBy: ({ pid }) => `is being sent by process ${pid}; wait until that has ended, or end it`,
    remedy: "choose another --out",
  });
  try {
    const sink = kind.open(options, context);
    return { ...sink, close: (patience) => sink.close(patience).finally(release) };
  } catch (error) {
    release();
    throw error;
  }
}

/** Opens the sinks that the rig names. What they refuse is said to the user and is no part of the results. */
export function openSinks(rig: Rig, told: Told, notice: (message: string) => void): Sink[] {
  return kinds.flatMap((kind) => {
    const options = rig.sinks[kind.kind];
    return options === undefined ? [] : [openSink(kind, options, sinkContext(kind, rig, told, notice))];
  });
}

/** Gives sinks the events, faults and mean powers of a session, running or replayed. */
export function feedSinks(sinks: readonly Sink[], { events$, faults$, blocks$ }: Streams): void {
  for (const sink of sinks) {
    events$.subscribe(({ event, map }) => sink.event?.(event, toSession(map, event.tick)));
    faults$.subscribe((fault) => sink.fault?.(fault));
    powerMeans(blocks$, sink.rate_hz).subscribe((mean) => sink.power?.(mean));
  }
}

/** What sinks did not take, a sentence for each. */
export interface SinksClosed {
  /** They never will, or it could not be kept for them. */
  readonly refused: readonly string[];
  /** It waits in the session folder. */
  readonly waiting: readonly string[];
}

/** Hands over the final results and closes. */
export async function closeSinks(sinks: readonly Sink[], dir: string, results: Results): Promise<SinksClosed> {
  const outcomes = await Promise.all(
    sinks.map(async (sink) => {
      sink.results?.(results);
      return { kind: sink.kind, ...(await sink.close(AT_THE_END)) };
    }),
  );
  return {
    refused: outcomes
      .filter(({ refused }) => refused > 0)
      .map(({ kind, refused, reason }) => `${kind} could not take ${refused} points${because(reason)}; they are in the session folder`),
    waiting: outcomes
      .filter(({ waiting }) => waiting > 0)
      .map(({ kind, waiting, reason }) => `${waiting} points wait for ${kind} in ${dir}${because(reason)}; joulebench resend ${dir}`),
  };
}

const because = (reason: string | undefined): string => (reason ? ` (${reason})` : "");

/** Of llama.cpp's and of others' names of files: Q4_K_M, IQ2_XS, F16, MXFP4, INT8. */
const QUANT = /(?:^|[^a-z0-9])(i?q\d(?:_[a-z0-9]+)*|b?f(?:16|32)|mxfp4|int[48])(?=$|[^a-z0-9])/i;

/** What the plan has an engine run; a device's own program says nothing of it. */
export function workOf(plan: unknown): SinkContext["work"] {
  const engine = fieldOf(plan, "engine");
  const [kind, path] = [fieldOf(engine, "kind"), fieldOf(engine, "model")];
  const model = typeof path === "string" ? path.replace(/^.*[/\\]/, "").replace(/\.gguf$/i, "") : undefined;
  const quant = QUANT.exec(model ?? "")?.[1]?.toUpperCase();
  return { ...(typeof kind === "string" ? { engine: kind } : {}), ...(model ? { model } : {}), ...(quant ? { quant } : {}) };
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
