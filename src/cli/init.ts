import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import { instruments } from "../instruments/index.ts";
import { JoulebenchError } from "../model/errors.ts";
import { listSerialPorts } from "../ports/index.ts";
import { type Probe, probe } from "../session/probe.ts";
import { conclude, EXIT } from "./exit.ts";
import { table } from "./format.ts";

export function registerInit(program: Command): void {
  program
    .command("init")
    .argument("[rig]", "rig file to write", "rigs/bench.yaml")
    .description("list ports, ask each for a bridge, write a commented rig")
    .option("--port <path>", "use this serial port without asking the others")
    .option("--force", "overwrite the rig file")
    .addHelpText("after", "\nExample:\n  joulebench init rigs/pi5.yaml")
    .action((path: string, options: InitOptions) => conclude(() => init(path, options)));
}

interface InitOptions {
  readonly port?: string;
  readonly force?: boolean;
}

interface Found extends Probe {
  readonly path: string;
  readonly about: string;
}

async function init(path: string, { port, force = false }: InitOptions): Promise<number> {
  if (existsSync(path) && !force)
    throw new JoulebenchError("config", path, "exists already; name another file, or use --force to overwrite it");
  const bridge = instruments.find((each) => each.kind === "bridge-ina219")!;
  const ports = port === undefined ? await listSerialPorts() : [{ path: port }];
  const found: Found[] = [];
  for (const each of ports) {
    const name = "byId" in each && each.byId ? each.byId : each.path;
    process.stderr.write(`asking ${name}…\n`);
    const about = [("manufacturer" in each && each.manufacturer) || "", ("serialNumber" in each && each.serialNumber) || ""]
      .join(" ")
      .trim();
    found.push({ path: name, about, ...(await probe(each.path, bridge.baud)) });
  }
  const chosen = found.find((each) => each.identity !== undefined);
  if (found.length === 0) process.stdout.write("No serial port was found. Plug the bridge in, or name its port with --port.\n");
  else
    process.stdout.write(
      `${table(found.map(({ path, about, identity, problem = "" }) => [identity ? "✓" : "✗", path, about, identity ?? problem]))}\n`,
    );
  const rig = rigText(chosen?.path ?? port ?? ports[0]?.path, chosen !== undefined);
  write(path, rig);
  process.stdout.write(`\nwritten: ${path}\n`);
  if (!chosen) process.stdout.write("No bridge answered: put its port into the file. To flash one, see\ndocs/instruments/ina219.md.\n");
  process.stdout.write(`next: put in your shunt and your workload, then joulebench check ${path}\n`);
  return EXIT.valid;
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new JoulebenchError("config", path, `cannot be written (${reason}); name another file`, { cause });
  }
}

/** A path as YAML reads it back: plain where nothing in it means something else. */
const scalar = (path: string): string => (/^[\w./…-]+$/.test(path) ? path : JSON.stringify(path));

/** A rig with every key a first bench needs, each explained. */
function rigText(port: string | undefined, answered: boolean): string {
  return `# One file describes one physical bench. Keys and units: docs/rig.md
name: bench

instruments:
  meter:
    kind: bridge-ina219
    # ${answered ? "a bridge answered here" : "no bridge answered yet: the name below /dev/serial/by-id lasts, /dev/ttyUSB0 does not"}
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

# What runs on the device and prints its events as JSON lines: docs/device-protocol.md
device:
  transport: { kind: local }
  command: [./workload, --jsonl]
  events: jsonl

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
