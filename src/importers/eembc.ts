import type { Block } from "../model/block.ts";
import { identityMap, type SessionSeconds, type TimeMap } from "../model/clock.ts";
import type { InferenceEvent } from "../model/event.ts";
import type { Accuracy } from "../model/instrument.ts";
import type { ImportedFile, Importer, PowerRecording, Reference } from "../model/recording.ts";
import { type PublishedWindow, readLog, readResults, readTimestamps } from "./eembc-texts.ts";
import { fileNamed, here, readFolder } from "./folder.ts";
import { Problems } from "./problems.ts";

const ENERGY = "trace1-energy.bin";
const TIMESTAMPS = "trace1-timestamps.json";
const RESULTS = "results.txt";
const LOG = "log.txt";

const POWER = "emon";
const EDGES = "io-manager";
const CHANNEL = "main";
const METHOD = "EEMBC EnergyRunner (published)";

// Layout of trace1-energy.bin: 0 u8 0xF1 | 1 f32 samples per second | 5 f32 microjoules, one per sample. Little endian.
const MAGIC = 0xf1;
const HEADER_BYTES = 5;
const SAMPLE_BYTES = 4;
const BLOCK_SAMPLES = 4096;
const J_PER_UJ = 1e-6;

/** The timestamps are GPIO edges in whole milliseconds: rectangular, half a millisecond to either side. */
const EDGE_U_S = 0.5e-3 / Math.sqrt(3);

/** Largest error of the power a monitor's maker states, as a part of it: for the LPM01A ST UM2243 ("better than 2 %"). */
const STATED_ERROR: Readonly<Record<string, number>> = { lpm01a: 0.02 };

/** A session folder of EEMBC EnergyRunner, as MLPerf Tiny submissions publish it. */
export const eembc: Importer = {
  format: "eembc",
  summary: "an EEMBC EnergyRunner session: energy trace, GPIO timestamps and the energies it published",
  example: "eembc results/NUCLEO-U575ZI-Q/ic/energy --out sessions/u575-ic",
  collect: (path) => readFolder(path, [ENERGY, TIMESTAMPS, RESULTS, LOG].map(here)),
  decode,
};

function decode(files: readonly ImportedFile[]): PowerRecording {
  const problems = new Problems();
  const trace = readTrace(fileNamed(files, ENERGY), problems);
  const edges_s = readTimestamps(fileNamed(files, TIMESTAMPS), problems);
  const results = readResults(fileNamed(files, RESULTS), edges_s, problems);
  const log = readLog(fileNamed(files, LOG));
  problems.throwIfAny("EEMBC import");
  const { rate_hz } = trace!;
  return {
    measurand: { source: POWER, channel: CHANNEL, accuracy: statedAccuracy(log.monitor, rate_hz) },
    maps: [sampleMap(rate_hz), identityMap(EDGES, 0, EDGE_U_S)],
    events: results.windows.flatMap((window) => unitEvents(window, log.model)),
    readings: [],
    idle: [],
    faults: [],
    references: references(results),
    clocks: {
      [POWER]: { map: "sample counter of the energy monitor, zero at the start of the trace", rate_hz },
      [EDGES]: { map: "GPIO edges stamped by the same timer", resolution_s: 1e-3, u_s: EDGE_U_S },
    },
    blocks: () => blocks(trace!),
  };
}

interface EnergyTrace {
  readonly rate_hz: number;
  readonly samples: DataView;
  readonly length: number;
}

function readTrace({ bytes, name }: ImportedFile, problems: Problems): EnergyTrace | undefined {
  if (bytes.length < HEADER_BYTES + SAMPLE_BYTES) {
    problems.add(name, `has ${bytes.length} bytes, expected 0xF1, a float32 rate and float32 samples`);
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rate_hz = view.getFloat32(1, true);
  const body = bytes.length - HEADER_BYTES;
  if (bytes[0] !== MAGIC) problems.add(name, `begins with 0x${hex(bytes[0]!)}, expected 0xF1: this is no EnergyRunner trace`);
  else if (!(rate_hz > 0 && Number.isFinite(rate_hz))) problems.add(name, `states ${rate_hz} samples per second, expected a rate above 0`);
  else if (body % SAMPLE_BYTES !== 0)
    problems.add(name, `ends inside a sample (${body % SAMPLE_BYTES} bytes too many): the copy was cut short`);
  const length = Math.floor(body / SAMPLE_BYTES);
  const samples = new DataView(bytes.buffer, bytes.byteOffset + HEADER_BYTES, length * SAMPLE_BYTES);
  for (let k = 0; k < length; k++) {
    if (!Number.isFinite(samples.getFloat32(k * SAMPLE_BYTES, true))) problems.add(name, `sample ${k} is not a finite number`);
  }
  return { rate_hz, samples, length };
}

function* blocks({ rate_hz, samples, length }: EnergyTrace): Generator<Block> {
  for (let from = 0; from < length; from += BLOCK_SAMPLES) {
    const power_w = new Float64Array(Math.min(BLOCK_SAMPLES, length - from));
    for (let k = 0; k < power_w.length; k++) {
      power_w[k] = samples.getFloat32((from + k) * SAMPLE_BYTES, true) * J_PER_UJ * rate_hz;
    }
    yield {
      source: POWER,
      epoch: 0,
      sampler: "integrating",
      startTick: from,
      ticks: { first: from + 1, step: 1 },
      length: power_w.length,
      lostBefore: 0,
      columns: { [`${CHANNEL}.power_w`]: power_w },
    };
  }
}

function sampleMap(rate_hz: number): TimeMap {
  return {
    source: POWER,
    epoch: 0,
    pieces: [{ fromTick: 0, t0_s: 0 as SessionSeconds, rate_hz, u_s: 0, bound_s: Number.POSITIVE_INFINITY }],
  };
}

function unitEvents(window: PublishedWindow, model: string | undefined): readonly InferenceEvent[] {
  const shared = { source: EDGES, epoch: 0, request: window.name, unit: "inference", ...(model === undefined ? {} : { model }) };
  return [
    { ...shared, type: "unit_start", tick: window.start_s },
    { ...shared, type: "unit_end", tick: window.end_s, count: window.inferences },
  ];
}

function references({ windows, median_j }: ReturnType<typeof readResults>): readonly Reference[] {
  const perWindow = windows.map(({ name, energy_j }) => ({
    method: METHOD,
    name: "unit_energy",
    value: energy_j,
    unit: "J",
    request: name,
  }));
  if (median_j === undefined) return perWindow;
  return [...perWindow, { method: METHOD, name: "energy_per_unit", value: median_j, unit: "J", detail: "median of the windows" }];
}

/** What the log names as energy monitor decides; of an unknown one nothing is stated. */
function statedAccuracy(monitor: string | undefined, rate_hz: number): Accuracy {
  return {
    gain: (STATED_ERROR[monitor ?? ""] ?? 0) / Math.sqrt(3),
    currentOffset_a: 0,
    voltageOffset_v: 0,
    currentResolution_a: 0,
    voltageResolution_v: 0,
    // Neither end of the trace says where in its sample the timer was started.
    sampling_s: 0.5 / rate_hz / Math.sqrt(3),
  };
}

const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, "0");
