import { fitArrivals } from "../clock/arrival-map.ts";
import { fitPings } from "../clock/ping-map.ts";
import type { Block } from "../model/block.ts";
import type { TimeMap } from "../model/clock.ts";
import type { Fault } from "../model/errors.ts";
import type { Recording } from "../model/recording.ts";
import type { TapeRecord } from "../model/tape.ts";
import { instrumentOf, type Rig } from "../rig/rig.ts";
import { Decoder } from "./decoder.ts";
import { type Survey, survey } from "./survey.ts";

/** A tape that can be read from its beginning any number of times. */
export interface Tape {
  records(): Iterable<TapeRecord>;
  damagedBytes(): number;
}

type Clocks = Record<string, Readonly<Record<string, number | string>>>;

/** A tape as a recording: the survey gives events and clocks, and the samples are decoded anew whenever they are asked for. */
export function tapeRecording(tape: Tape, rig: Rig): Recording {
  const found = survey(tape.records(), rig);
  const { maps, clocks, faults } = fitClocks(found, rig);
  const [source = "", channel = ""] = rig.measurand.split(".");
  const { kind, options } = instrumentOf(rig, source);
  const damaged = tape.damagedBytes();
  if (damaged > 0) faults.push({ source: "tape", code: "tape_truncated", count: damaged, at_s: 0 });
  return {
    measurand: { source, channel, accuracy: kind.accuracy(options, channel) },
    maps,
    events: found.events,
    readings: [],
    idle: found.idle,
    faults: [...found.faults, ...faults],
    references: [],
    ...(rig.plan.requests === undefined ? {} : { planned: rig.plan.requests }),
    clocks,
    blocks: () => blocksOf(tape, rig),
  };
}

function* blocksOf(tape: Tape, rig: Rig): Generator<Block> {
  const decoder = new Decoder(rig);
  for (const record of tape.records())
    for (const observation of decoder.push(record)) if (observation.type === "block") yield observation.block;
}

/** Offline maps of every clock on the tape; a clock that cannot be fitted is a fault, and its data stay unplaced. */
function fitClocks({ arrivals, pings }: Survey, rig: Rig): { maps: TimeMap[]; clocks: Clocks; faults: Fault[] } {
  const maps: TimeMap[] = [];
  const clocks: Clocks = {};
  const faults: Fault[] = [];
  const unmapped = (source: string, detail: string): void => {
    faults.push({ source, code: "clock_unmapped", count: 1, at_s: 0, detail });
  };
  for (const { source, epoch, envelope } of arrivals.values()) {
    const { kind, options } = instrumentOf(rig, source);
    const fit = fitArrivals(envelope, kind.clock(options), source, epoch);
    clocks[`${source}/${epoch}`] = fit.facts;
    if (fit.map) maps.push(fit.map);
    else unmapped(source, fit.reason);
    if (fit.facts.windows_beyond_limit > 0)
      unmapped(source, `its rate is beyond ${kind.clock(options).limit_ppm} ppm; name the right kind of clock in the rig`);
  }
  for (const epoch of new Set(pings.map((ping) => ping.epoch))) {
    const own = pings.filter((ping) => ping.epoch === epoch);
    const source = own[0]!.source;
    const fit = fitPings(own, source, epoch);
    clocks[`${source}/${epoch}`] = fit.facts;
    if (fit.map) maps.push(fit.map);
    else unmapped(source, fit.reason);
  }
  return { maps, clocks, faults };
}
