import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Subject } from "rxjs";
import { JoulebenchError } from "../model/errors.ts";
import type { Patience, Sink, SinkKind, SinkOutcome } from "../model/sink.ts";
import type { TapeRecord } from "../model/tape.ts";
import { type Rig, storedRig } from "../rig/rig.ts";
import { sinks as kinds } from "../sinks/index.ts";
import { readCursor, waitingOf } from "../sinks/outbox.ts";
import { readSessionFile, type SessionFile } from "../store/session-file.ts";
import { TapeReader } from "../store/tape-reader.ts";
import { analyzeSession } from "./analysis.ts";
import { Decoder } from "./decoder.ts";
import { feedSinks, openSink, outboxOf, sinkContext, toldOf } from "./sinks.ts";
import { streams } from "./streams.ts";

/** A service that does not come back in this time is not waited for. */
const FRUITLESS_MS = 10_000;
/** Earlier sessions may hold the end of this one up for so long. */
const LEFTOVERS_MS = 30_000;
/** Records replayed before what they gave may be sent. */
const RECORDS_PER_TURN = 2000;

export interface ResendOptions {
  /** Session time from which on everything is sent again; without it, what has not been sent. */
  readonly from_s?: number;
  /** Its sinks, instead of those of the session's own rig. */
  readonly rig?: Rig;
  readonly signal: AbortSignal;
  readonly notice: (message: string) => void;
}

export interface Resent extends SinkOutcome {
  readonly kind: string;
  /** True where the points were made again from the tape. */
  readonly anew: boolean;
}

/**
 * Sends what a session's sinks have not got: from the outbox where that is whole, else made again from the tape and
 * the results, with the same stamps, so that what arrives twice replaces itself.
 *
 * @throws JoulebenchError `config` when there is nothing to send or nowhere to, `link` while another process sends it
 */
export async function resend(dir: string, options: ResendOptions): Promise<readonly Resent[]> {
  const session = readSessionFile(dir);
  if ("import" in session.origin)
    throw new JoulebenchError("config", dir, "was imported: its times are those of another machine's clock, so no dashboard could show it");
  const rig = storedRig(session.rig, join(dir, "session.json"));
  const { sinks } = options.rig ?? rig;
  const named = kinds.filter(({ kind }) => sinks[kind] !== undefined);
  if (named.length === 0)
    throw new JoulebenchError("config", dir, "its rig names no sink; name a rig that does: joulebench resend SESSION --rig RIG");
  const resent: Resent[] = [];
  for (const kind of named) resent.push(await resendTo(kind, sinks[kind.kind], { dir, session, rig }, options));
  return resent;
}

interface Kept {
  readonly dir: string;
  readonly session: SessionFile;
  readonly rig: Rig;
}

async function resendTo(kind: SinkKind, to: unknown, kept: Kept, options: ResendOptions): Promise<Resent> {
  const { from_s, signal, notice } = options;
  const { dir, session, rig } = kept;
  const cursor = readCursor(outboxOf(dir, kind));
  const anew = from_s !== undefined || cursor?.whole !== true;
  // What an outbox still holds may be older than `from_s`, and is not forgotten for it.
  const isDelivered = cursor === undefined || (cursor.whole && waitingOf(cursor) === 0);
  const told = toldOf(dir, session);
  const sink = openSink(kind, to, { ...sinkContext(kind, rig, told, notice), anew });
  const complete = anew ? await tell(isDelivered ? since(sink, from_s) : sink, kept, signal) : true;
  const patience: Patience = { within_ms: Number.POSITIVE_INFINITY, fruitless_ms: FRUITLESS_MS, signal };
  return { kind: kind.kind, anew, ...(await sink.close(complete ? patience : undefined)) };
}

/** Tells a sink the whole session as it was told live. @returns false when it was interrupted */
async function tell(sink: Sink, { dir, rig }: Kept, signal: AbortSignal): Promise<boolean> {
  const records$ = new Subject<TapeRecord>();
  feedSinks([sink], streams(records$, new Decoder(rig), rig));
  let count = 0;
  for (const record of new TapeReader(join(dir, "tape")).records()) {
    records$.next(record);
    if (++count % RECORDS_PER_TURN === 0) await turn();
    if (signal.aborted) return false;
  }
  records$.complete();
  sink.results?.(analyzeSession(dir).results);
  return true;
}

/** The sink, deaf to what was before; results are of the whole session. */
function since(sink: Sink, from_s = Number.NEGATIVE_INFINITY): Sink {
  return {
    ...sink,
    power: (mean) => (mean.end_s > from_s ? sink.power?.(mean) : undefined),
    event: (event, at_s) => (at_s >= from_s ? sink.event?.(event, at_s) : undefined),
    reading: (reading, at_s) => (at_s >= from_s ? sink.reading?.(reading, at_s) : undefined),
    fault: (fault) => (fault.at_s >= from_s ? sink.fault?.(fault) : undefined),
  };
}

/**
 * Sends what earlier sessions in the same folder left waiting, now that the service answers: nothing is missing in the
 * morning after a night without it. What cannot be sent goes on waiting.
 */
export async function sendLeftovers(dir: string, notice: (message: string) => void, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(LEFTOVERS_MS)]);
  for (const { dir: left, kind } of leftoversBeside(dir)) {
    if (deadline.aborted) return;
    try {
      const session = readSessionFile(left);
      const rig = storedRig(session.rig, join(left, "session.json"));
      const told = toldOf(left, session);
      if (rig.sinks[kind.kind] === undefined) continue;
      const sink = openSink(kind, rig.sinks[kind.kind], sinkContext(kind, rig, told, notice));
      const { waiting } = await sink.close({ within_ms: LEFTOVERS_MS, fruitless_ms: 0, signal: deadline });
      notice(waiting === 0 ? `${kind.kind}: what had waited in ${left} was sent` : `${kind.kind}: ${waiting} points still wait in ${left}`);
    } catch (error) {
      if (!(error instanceof JoulebenchError)) throw error;
      notice(`${kind.kind}: what waits in ${left} was not sent: ${error.message}`);
    }
  }
}

function leftoversBeside(dir: string): { readonly dir: string; readonly kind: SinkKind }[] {
  const parent = dirname(resolve(dir));
  return readdirSync(parent).flatMap((name) => {
    const beside = join(parent, name);
    if (beside === resolve(dir) || !existsSync(join(beside, "outbox"))) return [];
    return kinds.flatMap((kind) => {
      const cursor = readCursor(outboxOf(beside, kind));
      return cursor?.whole && waitingOf(cursor) > 0 ? [{ dir: beside, kind }] : [];
    });
  });
}
