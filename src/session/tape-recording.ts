import { fitArrivals } from "../clock/arrival-map.ts";
import { alignmentFacts, judgeAlignment } from "../metrics/alignment.ts";
import type { Block } from "../model/block.ts";
import type { TimeMap } from "../model/clock.ts";
import type { Fault } from "../model/errors.ts";
import type { Recording } from "../model/recording.ts";
import type { TapeRecord } from "../model/tape.ts";
import { instrumentOf, measurandOf, type Rig } from "../rig/rig.ts";
import { align } from "./alignment.ts";
import { Decoder } from "./decoder.ts";
import { DEVICE } from "./device-decoder.ts";
import { type DeviceTime, deviceTime } from "./device-time.ts";
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
  const device = deviceTime(found.pings, found.events, found.eventClocks);
  const { maps, clocks, faults } = fitClocks(found, device, rig);
  const damaged = tape.damagedBytes();
  if (damaged > 0) faults.push({ source: "tape", code: "tape_truncated", count: damaged, at_s: 0 });
  const measurand = measurandOf(rig);
  const alignment = measurand ? align(found, { maps, epochAt: device.epochAt }, measurand) : [];
  if (alignment.length > 0) clocks.alignment = alignmentFacts(alignment);
  const { state, detail } = judgeAlignment(alignment);
  if (state === "suspect") faults.push({ source: "device", code: "sync_suspect", count: 1, at_s: alignment[0]!.at_s, detail });
  return {
    ...(measurand ? { measurand } : {}),
    maps,
    alignment,
    breaks: [...found.breaks, ...device.breaks],
    lapses: found.lapses
      .filter(({ fromSeq, toSeq }) => toSeq >= fromSeq)
      .map(({ from_ns, to_ns }) => ({ from_s: from_ns / 1e9, to_s: to_ns / 1e9 })),
    events: device.events,
    readings: [],
    idle: found.idle,
    faults: [...found.faults, ...faults],
    references: [],
    ...(rig.device?.battery_wh === undefined ? {} : { battery_j: rig.device.battery_wh * 3600 }),
    ...(rig.plan.requests === undefined ? {} : { planned: rig.plan.requests }),
    ...(rig.plan.requests_may_fail ? { mayFail: true } : {}),
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
function fitClocks({ arrivals }: Survey, device: DeviceTime, rig: Rig): { maps: TimeMap[]; clocks: Clocks; faults: Fault[] } {
  const maps: TimeMap[] = [...device.maps];
  const clocks: Clocks = Object.fromEntries(device.facts.map(({ epoch, facts }) => [`${DEVICE}/${epoch}`, facts]));
  const faults: Fault[] = [...device.faults];
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
  return { maps, clocks, faults };
}
