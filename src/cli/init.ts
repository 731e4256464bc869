import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Command } from "commander";
import { instruments } from "../instruments/index.ts";
import { JoulebenchError } from "../model/errors.ts";
import { listSerialPorts, type SerialPortInfo } from "../ports/index.ts";
import type { Finding } from "../session/finding.ts";
import { type Probe, probe } from "../session/probe.ts";
import { conclude, EXIT } from "./exit.ts";
import { findingsText } from "./findings-text.ts";
import { printable, wrap } from "./format.ts";
import { askOverSsh, type FoundDevice, type Looked, lookForDevices, sshTransport } from "./init-devices.ts";
import { rigText } from "./init-rig.ts";

export function registerInit(program: Command): void {
  program
    .command("init")
    .argument("[rig]", "rig file to write", "rigs/bench.yaml")
    .description("list serial ports and devices, ask who is there, write a commented rig")
    .option("--port <path>", "use this serial port without asking the others")
    .option("--ssh <user@host[:port]>", "the device is this one, reached by ssh; no others are listed")
    .option("--force", "overwrite the rig file")
    .addHelpText("after", "\nExamples:\n  joulebench init rigs/phone.yaml\n  joulebench init rigs/pi5.yaml --ssh pi@pi5.local")
    .action((path: string, options: InitOptions) => conclude(() => init(path, options)));
}

interface InitOptions {
  readonly port?: string;
  readonly ssh?: string;
  readonly force?: boolean;
}

async function init(path: string, { port, ssh, force = false }: InitOptions): Promise<number> {
  if (existsSync(path) && !force)
    throw new JoulebenchError("config", path, "exists already; name another file, or use --force to overwrite it");
  if (ssh !== undefined) sshTransport(ssh); // A slip of the pen is told before anything is asked.
  const ports = await askPorts(port);
  process.stderr.write(`looking for ${ssh ?? "devices"}…\n`);
  const looked = await (ssh === undefined ? lookForDevices() : askOverSsh(ssh));
  tell(ports, looked);
  const answering = ports.find(({ identity }) => identity !== undefined);
  const device = chosen(looked.devices);
  const others = looked.devices.filter((each) => each !== device);
  write(path, rigText({ port: (answering ?? ports[0])?.path, hasAnswered: answering !== undefined, device, others }));
  const next = [
    `written: ${path}`,
    ...(answering ? [] : [`No bridge answered: put its port into the file. To flash one, see\ndocs/instruments/ina219.md.`]),
    ...(device ? [] : [noDevice(looked)]),
    `next: put in your shunt and your workload, then\n  joulebench check ${path}`,
  ];
  process.stdout.write(`\n${next.join("\n")}\n`);
  return EXIT.valid;
}

interface AskedPort extends Probe {
  readonly path: string;
  /** Maker and serial number of its adapter. */
  readonly about: string;
}

/** Asks whoever is at `port`, or at every serial port of this machine. */
async function askPorts(port: string | undefined): Promise<readonly AskedPort[]> {
  const { baud } = instruments.find(({ kind }) => kind === "bridge-ina219")!;
  const ports: readonly SerialPortInfo[] = port === undefined ? await listSerialPorts() : [{ path: port }];
  const asked: AskedPort[] = [];
  for (const { path, byId, manufacturer, serialNumber } of ports) {
    const name = byId ?? path;
    process.stderr.write(`asking ${name}…\n`);
    asked.push({ path: name, about: [manufacturer, serialNumber].filter(Boolean).join(" "), ...(await probe(name, baud)) });
  }
  return asked;
}

function tell(ports: readonly AskedPort[], { findings, unseen }: Looked): void {
  const lines = [
    ports.length === 0
      ? "No serial port was found. Plug the bridge in, or name its port with --port."
      : findingsText(ports.map(findingOfPort)),
    ...(findings.length === 0 ? [] : [findingsText(findings)]),
    ...unseen.map((each) => wrap(printable(each))),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

const findingOfPort = ({ path, about, identity, problem = "" }: AskedPort): Finding => ({
  what: path,
  ok: identity !== undefined,
  detail: `${identity ?? problem}${about && ` (${about})`}`,
});

/** The one that must be meant; iPhones are not, because their apps do not come by themselves. */
function chosen(devices: readonly FoundDevice[]): FoundDevice | undefined {
  const usable = devices.filter(({ transport }) => transport.kind !== "ios");
  return usable.length === 1 ? usable[0] : undefined;
}

function noDevice({ findings, devices }: Looked): string {
  if (devices.length > 0) return "Which device is meant is for you to say: the file has a line for each of them.";
  if (findings.length > 0) return "No device can be used yet: do what is said above, then call init --force again.";
  return [
    "No device was found, so the file says that it is this machine. If it is not:",
    "  a phone: switch its USB debugging on, plug it in, call init --force again",
    "  a board: call init --force --ssh user@host",
  ].join("\n");
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
