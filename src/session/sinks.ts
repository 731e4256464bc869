import type { Observable } from "rxjs";
import { toSession } from "../model/clock.ts";
import type { Results } from "../model/results.ts";
import type { PowerMean, Sink } from "../model/sink.ts";
import type { Rig } from "../rig/rig.ts";
import { sinks as kinds } from "../sinks/index.ts";
import type { SessionFolder } from "./folder.ts";
import type { Streams } from "./streams.ts";

/** Opens the sinks that the rig names. What they refuse is said to the user and is no part of the results. */
export function openSinks(rig: Rig, { session, wallStart_ns }: SessionFolder, notice: (message: string) => void): Sink[] {
  return kinds.flatMap((kind) => {
    const options = rig.sinks[kind.kind];
    if (options === undefined) return [];
    const fault = (_code: string, count: number, detail?: string): void =>
      notice(`${kind.kind}: ${count} points refused${detail ? `, ${detail}` : ""}`);
    return [kind.open(options, { rig: rig.name, session, wallStart_ns, notice: (message) => notice(`${kind.kind}: ${message}`), fault })];
  });
}

/** Gives sinks the events, faults and mean powers of a running session. */
export function feedSinks(sinks: readonly Sink[], { events$, faults$ }: Streams, means$: Observable<PowerMean>): void {
  for (const sink of sinks) {
    events$.subscribe(({ event, map }) => sink.event?.(event, toSession(map, event.tick)));
    faults$.subscribe((fault) => sink.fault?.(fault));
    means$.subscribe((mean) => sink.power?.(mean));
  }
}

/** Hands over the final results and closes. @returns a sentence for each sink that could not take everything */
export async function closeSinks(sinks: readonly Sink[], results: Results | undefined): Promise<string[]> {
  const outcomes = sinks.map(async (sink) => {
    for (const measurement of results?.measurements ?? []) sink.measurement?.(measurement);
    const { refused, reason } = await sink.close();
    return refused > 0
      ? [`${sink.kind} could not take ${refused} points${reason ? ` (${reason})` : ""}; they are in the session folder`]
      : [];
  });
  return (await Promise.all(outcomes)).flat();
}
