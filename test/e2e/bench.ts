import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Port } from "../../src/model/port.ts";
import type { Results } from "../../src/model/results.ts";
import { openSerial } from "../../src/ports/serial.ts";
import { BridgePort } from "../../src/simulate/bridge-port.ts";
import { startCable } from "../ports/pty.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const HEX = readFileSync(join(ROOT, "firmware-bridge/bridge-ina219-uno.hex"), "utf8");
const WORKLOAD = join(ROOT, "test/e2e/workload.js");

/** A folder of its own for one test, which takes it away again. */
export function scratch(): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), "joulebench-e2e-"));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Has locks of rigs lie below `dir` while a file's tests run: not among the user's own. */
export function ownState(dir: string): { restore(): void } {
  const before = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = join(dir, "state");
  return {
    restore: () => {
      if (before === undefined) delete process.env.XDG_STATE_HOME;
      else process.env.XDG_STATE_HOME = before;
    },
  };
}

/** A short session: enough idle for a baseline, and no more. Whoever waits for its time-out in vain is found out. */
export const SHORT_PLAN = "{ baseline_s: 1, after_s: 0.5, settle_s: 0, timeout_s: 600, pulses: false }";

/** Writes a rig into the folder. @returns its path */
export function writeRig(dir: string, rig: { port?: string; command: readonly string[]; plan?: string; more?: string }): string {
  const reached = rig.port === undefined ? "emulated: bridge-ina219" : `port: ${rig.port}`;
  const path = join(dir, "rig.yaml");
  writeFileSync(
    path,
    `name: test
instruments:
  meter: { kind: bridge-ina219, ${reached}, shunt_ohm: 0.1, gain_uncertainty: 0.002, usb_latency_s: 0.0002 }
measurand: meter.main
device: { command: ${JSON.stringify(rig.command)} }
plan: ${rig.plan ?? SHORT_PLAN}
${rig.more ?? ""}`,
  );
  return path;
}

/** The small workload of this folder; see workload.js for its faults. */
export const workload = (...args: readonly string[]): string[] => [process.execPath, WORKLOAD, ...args];

/** The results a run wrote. @throws Error with what it said, when there are none */
export function readResults(session: string, { stderr }: { stderr: string }): Results {
  const path = join(session, "results.json");
  if (!existsSync(path)) throw new Error(`no results; joulebench said:\n${stderr}`);
  return JSON.parse(readFileSync(path, "utf8")) as Results;
}

export const faultsOf = (results: Results): Readonly<Record<string, number>> =>
  Object.fromEntries(results.faults.map(({ source, code, count }) => [`${source}/${code}`, count]));

/** `dist/simulate/bridge-main.js` behind a pseudo-terminal at `link`, as an Arduino behind its serial port. */
export async function startBridge(
  link: string,
  ...args: readonly string[]
): Promise<{ readonly process: ChildProcess; stop(): Promise<void> }> {
  const program = ["dist/simulate/bridge-main.js", ...args].join(" ");
  const child = spawn("socat", ["-d", "-d", `pty,raw,echo=0,link=${link}`, `EXEC:"${process.execPath} ${program}"`], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const gone = once(child, "exit");
  for await (const line of createInterface({ input: child.stderr })) if (line.includes("starting data transfer")) break;
  child.stderr.resume();
  return {
    process: child,
    async stop() {
      child.kill("SIGTERM");
      await gone;
    },
  };
}

/** The emulated bridge behind a pseudo-terminal, run by the test itself, which may press its reset button. */
export interface OwnBridge {
  reset(): void;
  /** Bytes the bridge has sent. */
  readonly sent: number;
  stop(): Promise<void>;
}

const now = (): number => Number(process.hrtime.bigint());

export async function startOwnBridge(link: string): Promise<OwnBridge> {
  const cable = await startCable(link, `${link}-inner`);
  // Somebody who holds the port open keeps the pseudo-terminal alive while joulebench closes and opens it.
  const held = openSync(link, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  const inner = await openSerial({ path: `${link}-inner`, baud: 1_000_000, now });
  const plant = { supply_v: 5, power_w: () => 2, energy_j: (from: number, to: number) => 2 * (to - from) };
  const bridge = new BridgePort({ hex: HEX, plant: () => plant, sensor: { shunt_ohm: 0.1, conversionTimeError: 0.02 } }, now);
  let sent = 0;
  const pumps = [
    pump(bridge, async (bytes) => {
      sent += bytes.length;
      await inner.write(bytes);
    }),
    pump(inner, (bytes) => bridge.write(bytes)),
  ];
  return {
    reset: () => bridge.bridge.reset(),
    get sent() {
      return sent;
    },
    async stop() {
      await bridge.close();
      await inner.close();
      await Promise.allSettled(pumps);
      closeSync(held);
      await cable.stop("SIGKILL");
    },
  };
}

async function pump(from: Port, take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  for await (const { bytes } of from) await take(bytes);
}
