import { renameSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { parsePing, pongLine } from "../wire/ping.ts";
import { oscillator } from "./oscillator.ts";
import { phonePlant } from "./phone.ts";
import { eventLine } from "./phone-events.ts";

/** From `start` to the beginning of the workload: time for the emulated supply to read the start file. */
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
let started = false;

createInterface({ input: process.stdin, terminal: false })
  .on("line", (line) => {
    const deviceReceived_s = clock.reading_s(true_s());
    const id = parsePing(line);
    if (id !== undefined) print(pongLine({ id, deviceReceived_s, deviceSent_s: clock.reading_s(true_s()) }));
    else if (line === "start") start();
    else if (line === "quit") process.exit(0);
  })
  .on("close", () => process.exit(0));
// Whoever read us is gone.
process.stdout.on("error", () => process.exit(0));

/** Begins the workload in a moment and says when, in true time, to those who emulate what the phone draws. */
function start(): void {
  if (started) return;
  started = true;
  const begin_s = true_s() + LEAD_S;
  const path = values["start-file"];
  if (path !== undefined) tellStart(path, zero_ns + BigInt(Math.round(begin_s * 1e9)));
  const { events } = phonePlant({ seed: number("seed"), prompts: number("prompts") });
  let next = 0;
  const printDue = (): void => {
    for (; next < events.length && begin_s + events[next]!.true_s <= true_s(); next++) {
      const event = events[next]!;
      print(eventLine(event, clock.reading_s(begin_s + event.true_s)));
    }
    const event = events[next];
    if (event) setTimeout(printDue, Math.max(1, (begin_s + event.true_s - true_s()) * 1000));
    else print('{"type":"done"}');
  };
  printDue();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Readers see the whole file or none. */
function tellStart(path: string, start_ns: bigint): void {
  try {
    writeFileSync(`${path}.part`, `${JSON.stringify({ start_ns: String(start_ns) })}\n`);
    renameSync(`${path}.part`, path);
  } catch (error) {
    fail(`--start-file ${path}: ${(error as Error).message}`);
  }
}

/** `--ppm -20` as `--ppm=-20`: parseArgs takes a value that starts with a dash only when it is joined to its option. */
function joinValues(argv: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of argv) {
    const last = joined.at(-1);
    if (last?.startsWith("--") && !last.includes("=")) joined.splice(-1, 1, `${last}=${arg}`);
    else joined.push(arg);
  }
  return joined;
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
