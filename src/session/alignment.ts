import { alignPulses, type PowerBins } from "../clock/pulses.ts";
import { alignTriggers, type LineEdge } from "../clock/triggers.ts";
import { Edges, sweep } from "../metrics/runs.ts";
import type { Alignment } from "../model/alignment.ts";
import type { Block } from "../model/block.ts";
import { hostToSession, pieceAt, type TimeMap, toSession } from "../model/clock.ts";
import type { Measurand } from "../model/recording.ts";
import { DEVICE } from "./device-decoder.ts";
import type { PulseTrain } from "./pulse-trains.ts";
import type { TickedEdge, TriggerEdges } from "./trigger-edges.ts";

/** What a tape holds for the check of power against events. */
export interface Traces {
  readonly trains: readonly PulseTrain[];
  readonly triggers: TriggerEdges;
}

/** Which clocks what was said and seen are on. */
export interface Clocks {
  readonly maps: readonly TimeMap[];
  /** Epoch of the device's clock for what was heard over its nth channel (from 0) at a session time. */
  readonly epochAt: (channel: number, heard_s: number) => number;
}

/** Puts what the device did beside what its power monitor saw of it; empty when the device can do neither. */
export function align({ trains, triggers }: Traces, clocks: Clocks, measurand: Measurand): Alignment[] {
  const begun = trains.filter(({ pulses, answer }) => pulses.length > 0 || answer === "done");
  const found: Alignment[] = begun.map((train) => alignTrain(train, clocks, measurand));
  if (triggers.stated.length === 0) return found;
  const stated = triggers.stated.map((edge) => ({ ...edge, epoch: clocks.epochAt(edge.epoch, edge.heard_s) }));
  return [...found, alignTriggers(placed(stated, clocks.maps), placed(triggers.seen, clocks.maps))];
}

function alignTrain({ asked_ns, channel, pulses, answer, blocks }: PulseTrain, { maps, epochAt }: Clocks, measurand: Measurand): Alignment {
  const at_s = hostToSession(asked_ns);
  const nothing = { kind: "pulses", at_s, found: false, offset_s: null, u_s: null, tau_s: null, peak: null, gap: null } as const;
  const epoch = epochAt(channel, at_s);
  const map = maps.find((each) => each.source === DEVICE && each.epoch === epoch);
  if (!map) return { ...nothing, reason: "the device's clock is not known" };
  if (answer !== "done") return { ...nothing, reason: "the device began it and did not end it" };
  const claimed = pulses.map(({ on, off }) => ({ on_s: toSession(map, on), off_s: toSession(map, off) }));
  return { ...alignPulses(claimed, binsOf(blocks, maps, measurand)), ...(claimed.length === 0 ? { at_s } : {}) };
}

/** Samples as bins of session time; those whose clock is not known are left out. */
function binsOf(blocks: readonly Block[], maps: readonly TimeMap[], measurand: Measurand): PowerBins {
  const [start_s, end_s, mean_w]: [number[], number[], number[]] = [[], [], []];
  sweep(blocks, { measurand, maps }, (run, map) => {
    const from_s = toSession(map, run.startTick);
    const edges = new Edges(run, pieceAt(map, run.startTick).rate_hz);
    for (let k = 0; k < edges.count; k++) {
      start_s.push(from_s + edges.at(k));
      end_s.push(from_s + edges.at(k + 1));
      mean_w.push(run.mean_w[k]!);
    }
  });
  return { start_s: Float64Array.from(start_s), end_s: Float64Array.from(end_s), mean_w: Float64Array.from(mean_w) };
}

function placed(edges: readonly TickedEdge[], maps: readonly TimeMap[]): LineEdge[] {
  return edges
    .flatMap(({ source, epoch, tick, level }) => {
      const map = maps.find((each) => each.source === source && each.epoch === epoch);
      return map ? [{ at_s: toSession(map, tick), level }] : [];
    })
    .sort((a, b) => a.at_s - b.at_s);
}
