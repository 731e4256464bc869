import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { announcedPlant } from "./announced-load.ts";
import { joinValues } from "./arguments.ts";
import { BridgePort } from "./bridge-port.ts";
import { phonePlant } from "./phone.ts";
import { pulsePlant } from "./phone-pulses.ts";
import { constantLoad, type Plant, shifted, together } from "./plant.ts";
import { readStartFile, type StartFile } from "./start-file.ts";
import { later, type Switching } from "./trigger-line.ts";

/*
 * The bridge as a program: its serial line is standard input and output, paced to real time. What it measures is the
 * virtual phone, whose workload begins at the instant that --start-file names, and its load pulses, too; until then the
 * phone is idle. Its trigger output is wired to D2. With --load-w it is a constant load instead, to calibrate against;
 * with --load-file besides, whatever programs announce there.
 */

const HEX = fileURLToPath(new URL("../../firmware-bridge/bridge-ina219-uno.hex", import.meta.url));
const START_POLL_MS = 50;
/** Plant time before the start is known: anywhere in the idle stretch before the workload. */
const LONG_BEFORE_S = -1e4;
/** Beyond this much unread output the line drops what comes, like a USB adapter whose host stopped reading. */
const UNREAD_BYTES = 1 << 16;

const { values } = parseArgs({
  args: joinValues(process.argv.slice(2)),
  options: {
    seed: { type: "string", default: "1" },
    prompts: { type: "string", default: "6" },
    "clock-skew-ppm": { type: "string", default: "0" },
    "shunt-ohm": { type: "string", default: "0.10005" },
    "conversion-time-error": { type: "string", default: "0.02" },
    /** Instant at which the bridge was powered, in nanoseconds of the host's monotonic clock; default: now. */
    "t0-ns": { type: "string" },
    "start-file": { type: "string" },
    /** A load that draws this power for ever, on the phone's supply and in its place. */
    "load-w": { type: "string" },
    /** Where programs announce what they are about to draw, instead of what --load-w says. */
    "load-file": { type: "string" },
    hex: { type: "string", default: HEX },
  },
});

const zero_ns = values["t0-ns"] === undefined ? process.hrtime.bigint() : nanoseconds("--t0-ns", values["t0-ns"]);
const now = (): number => Number(process.hrtime.bigint() - zero_ns);
const { plant: phone, line: phoneLine } = phonePlant({ seed: number("seed"), prompts: number("prompts") });
const train = pulsePlant();
let plant: Plant = values["load-w"] === undefined ? shifted(phone, -LONG_BEFORE_S) : constantLoad(phone.supply_v, number("load-w"));
let line: readonly Switching[] = [];

const port = new BridgePort(
  {
    hex: readHex(values.hex),
    plant: () => plant,
    line: () => line,
    sensor: { shunt_ohm: number("shunt-ohm"), conversionTimeError: number("conversion-time-error") },
    clockSkew_ppm: number("clock-skew-ppm"),
  },
  now,
  0,
);

const startFile = values["start-file"];
const loadFile = values["load-file"];
if (loadFile !== undefined) setInterval(() => announced(loadFile), START_POLL_MS);
else if (startFile !== undefined) setInterval(() => follow(startFile), START_POLL_MS);

process.stdin.on("data", (bytes: Buffer) => void port.write(bytes));
process.stdin.on("end", () => process.exit(0));
process.stdin.on("error", () => process.exit(0));
// Whoever read us is gone.
process.stdout.on("error", () => process.exit(0));
for await (const { bytes } of port) if (process.stdout.writableLength < UNREAD_BYTES) process.stdout.write(bytes);

/** Plant time of an instant of the host's monotonic clock. */
function at_s(instant_ns: bigint): number {
  return Number(instant_ns - zero_ns) / 1e9;
}

/** Takes up what programs say they will draw. */
function announced(path: string): void {
  try {
    plant = announcedPlant(path, { rest_w: number("load-w"), supply_v: phone.supply_v, at_s }) ?? plant;
  } catch (error) {
    fail(`--load-file ${path}: ${(error as Error).message}`);
  }
}

/** Takes up what the phone says it will do. */
function follow(path: string): void {
  let plan: StartFile | undefined;
  try {
    plan = readStartFile(path);
  } catch (error) {
    fail(`--start-file ${path}: ${(error as Error).message}`);
  }
  if (!plan) return;
  line = plan.start_ns === undefined ? [] : later(phoneLine, at_s(plan.start_ns));
  const work = shifted(phone, plan.start_ns === undefined ? -LONG_BEFORE_S : at_s(plan.start_ns));
  plant = plan.pulses_ns.reduce((loads, instant_ns) => together(loads, shifted(train, at_s(instant_ns))), work);
}

function readHex(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return fail(`--hex ${path}: ${(error as Error).message}`);
  }
}

function nanoseconds(what: string, text: string): bigint {
  return /^\d+$/.test(text) ? BigInt(text) : fail(`${what} ${text}: expected nanoseconds of the monotonic clock, decimal`);
}

function number(name: "load-w" | "seed" | "prompts" | "clock-skew-ppm" | "shunt-ohm" | "conversion-time-error"): number {
  const value = Number(values[name]);
  return Number.isFinite(value) ? value : fail(`--${name} ${values[name]}: expected a number`);
}

function fail(message: string): never {
  process.stderr.write(`bridge: ${message}\n`);
  process.exit(2);
}
