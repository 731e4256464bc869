import { printable } from "./format.ts";
import type { FoundDevice } from "./init-devices.ts";

/** What `init` has found out about a bench. */
export interface FoundBench {
  /** Of the bridge, or of the serial port it may be at; undefined where there is none. */
  readonly port: string | undefined;
  readonly hasAnswered: boolean;
  /** The device under test; undefined: this machine, or nobody knows yet. */
  readonly device: FoundDevice | undefined;
  /** Devices that may be meant instead. */
  readonly others: readonly FoundDevice[];
}

/** Names and paths, and addresses of four numbers. */
const PLAIN = /^(?:[a-z_/][\w./…-]*|\d+\.\d+\.\d+\.\d+)$/i;
/** Names that YAML, of whatever version, reads as something else. */
const WORD = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** A value as YAML reads it back: plain where nothing in it means something else. */
const scalar = (value: string | number): string =>
  typeof value === "number" || (PLAIN.test(value) && !WORD.test(value)) ? String(value) : JSON.stringify(value);

const flow = (map: FoundDevice["transport"]): string =>
  `{ ${Object.entries(map)
    .map(([key, value]) => `${key}: ${scalar(value)}`)
    .join(", ")} }`;

/** A rig with every key a first bench needs, each explained. */
export function rigText({ port, hasAnswered, device, others }: FoundBench): string {
  return `# One file describes one physical bench. Keys and units: docs/rig.md
name: bench

instruments:
  meter:
    kind: bridge-ina219
    # ${hasAnswered ? "a bridge answered here" : "no bridge answered yet: the name below /dev/serial/by-id lasts, /dev/ttyUSB0 does not"}
    port: ${scalar(port ?? "/dev/serial/by-id/…")}
    # The shunt as fitted, in ohm. It scales every result: measure it, or calibrate.
    shunt_ohm: 0.1
    # Relative standard uncertainty of power. Left out, it follows from the data sheet and a 1 % shunt.
    # gain_uncertainty: 0.002
    # What clocks the board: an Uno or Nano has a resonator (1 %), some boards a crystal (500 ppm).
    clock: resonator
    rate_hz: 1000

# Which watts count: <instrument>.<channel>
measurand: meter.main

${deviceText(device, others)}
# How a session goes; times in seconds.
plan:
  baseline_s: 60
  after_s: 60
  settle_s: 10
  requests: 10
  timeout_s: 3600

# Power, events and results also go to InfluxDB where this is given; a database that is down loses nothing.
# sinks:
#   influx: { host: 127.0.0.1, port: 8086, database: joulebench }
`;
}

/** Of a workload, where a command of each transport starts: adb in /, ssh in the home folder. */
const WORKLOADS: Readonly<Record<string, string>> = {
  adb: "/data/local/tmp/workload",
  ssh: "./workload",
  local: "./workload",
};

function deviceText(device: FoundDevice | undefined, others: readonly FoundDevice[]): string {
  const { transport, about } = device ?? { transport: { kind: "local" }, about: "this machine; --ssh user@host names another" };
  const lines = [
    "# The device under test and the way to it: docs/transports.md",
    "device:",
    `  # ${oneLine(about)}`,
    `  transport: ${flow(transport)}`,
    ...others.flatMap((each) => [`  # or ${oneLine(each.about)}`, `  # transport: ${flow(each.transport)}`]),
    "  # What runs on it and prints its events as JSON lines: docs/device-protocol.md",
    `  command: [${WORKLOADS[transport.kind]}, --jsonl]`,
    "  events: jsonl",
  ];
  return `${lines.join("\n")}\n`;
}

/** What a device says of itself must not end the comment it stands in. */
const oneLine = (text: string): string => printable(text).replaceAll("\n", " ");
