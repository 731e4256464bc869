import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { parsePing, pongLine } from "../wire/ping.ts";
import { PULSE_CODE, PULSES_DONE_LINE, PULSES_LINE, pulseLine, triggerLine } from "../wire/pulses.ts";
import { joinValues } from "./arguments.ts";
import { oscillator } from "./oscillator.ts";
import { phonePlant } from "./phone.ts";
import { eventLine } from "./phone-events.ts";
import { writeStartFile } from "./start-file.ts";
import { later } from "./trigger-line.ts";

/** From `start` or `pulses` to the beginning: time for the emulated supply to read the start file. */
const LEAD_S = 0.5;

const { values } = parseArgs({
  args: joinValues(process.argv.slice(2)),
  options: {
    seed: { type: "string", default: "1" },
    prompts: { type: "string", default: "6" },
    "offset-s": { type: "string", default: "3.217" },
    ppm: { type: "string", default: "37" },
    "warmup-ppm": { type: "string", default: "0" },
    "warmup-s": { type: "string", default: "300" },
    /** Instant at which the device's clock shows its offset, in nanoseconds of the host's monotonic clock; default: now. */
    "zero-ns": { type: "string" },
    "start-file": { type: "string" },
  },
});

const zero_ns = BigInt(values["zero-ns"] ?? process.hrtime.bigint());
const true_s = (): number => Number(process.hrtime.bigint() - zero_ns) / 1e9;
/** The device's own clock: wrong on purpose, and all that leaves this process. */
const clock = oscillator({
  offset_s: number("offset-s"),
  ppm: number("ppm"),
  warmup_ppm: number("warmup-ppm"),
  warmup_s: number("warmup-s"),
});
let start_ns: bigint | undefined;
const pulses_ns: bigint[] = [];

createInterface({ input: process.stdin, terminal: false })
  .on("line", (line) => {
    const deviceReceived_s = clock.reading_s(true_s());
    const id = parsePing(line);
    if (id !== undefined) print(pongLine({ id, deviceReceived_s, deviceSent_s: clock.reading_s(true_s()) }));
    else if (line === "start") start();
    else if (line === PULSES_LINE) pulses();
    else if (line === "quit") process.exit(0);
  })
  .on("close", () => process.exit(0));
// Whoever read us is gone.
process.stdout.on("error", () => process.exit(0));

/** Begins the workload in a moment. */
function start(): void {
  if (start_ns !== undefined) return;
  const begin_s = true_s() + LEAD_S;
  start_ns = trueInstant_ns(begin_s);
  tellPlan();
  const { events, line } = phonePlant({ seed: number("seed"), prompts: number("prompts") });
  const told = events.map((event) => ({ at_s: begin_s + event.true_s, text: eventLine(event, clock.reading_s(begin_s + event.true_s)) }));
  const switched = later(line, begin_s).map(({ at_s, level }) => ({ at_s, text: triggerLine(level, clock.reading_s(at_s)) }));
  printInTime(
    [...told, ...switched].sort((a, b) => a.at_s - b.at_s),
    '{"type":"done"}',
  );
}

/** Loads itself in pulses in a moment; each is told when it is over. */
function pulses(): void {
  const begin_s = true_s() + LEAD_S;
  pulses_ns.push(trueInstant_ns(begin_s));
  tellPlan();
  const reading_s = (code_s: number): number => clock.reading_s(begin_s + code_s);
  const lines = PULSE_CODE.map(({ on_s, off_s }) => ({
    at_s: begin_s + off_s,
    text: pulseLine({ on_s: reading_s(on_s), off_s: reading_s(off_s) }),
  }));
  printInTime(lines, PULSES_DONE_LINE);
}

/** Prints each line when its time has come, and one more after the last. */
function printInTime(lines: readonly { readonly at_s: number; readonly text: string }[], last: string): void {
  let next = 0;
  const printDue = (): void => {
    for (; next < lines.length && lines[next]!.at_s <= true_s(); next++) print(lines[next]!.text);
    const line = lines[next];
    if (line) setTimeout(printDue, Math.max(1, (line.at_s - true_s()) * 1000));
    else print(last);
  };
  printDue();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function trueInstant_ns(at_s: number): bigint {
  return zero_ns + BigInt(Math.round(at_s * 1e9));
}

/** Says what the phone will do and when, in true time, to those who emulate what it draws. */
function tellPlan(): void {
  const path = values["start-file"];
  if (path === undefined) return;
  try {
    writeStartFile(path, { start_ns, pulses_ns });
  } catch (error) {
    fail(`--start-file ${path}: ${(error as Error).message}`);
  }
}

function number(name: Exclude<keyof typeof values, "start-file" | "zero-ns">): number {
  const value = Number(values[name]);
  if (Number.isFinite(value)) return value;
  return fail(`--${name} ${values[name]}: expected a number`);
}

function fail(message: string): never {
  process.stderr.write(`phone: ${message}\n`);
  process.exit(2);
}
