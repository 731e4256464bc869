import { fileURLToPath } from "node:url";
import { JoulebenchError } from "../model/errors.ts";
import type { Transport } from "../model/transport.ts";
import type { Rig } from "../rig/rig.ts";
import { transports } from "../transports/index.ts";
import { DeviceLink, type LinkWatcher } from "./device-link.ts";
import { outlives } from "./device-process.ts";

/** What emulated sources share. */
export interface Emulation {
  /** Session zero on the host's monotonic clock, where the emulated device's clock shows its offset. */
  readonly zero_ns: bigint;
  /** Where the emulated phone says when its workload begins, and the emulated supply reads it. */
  readonly startFile: string;
}

/**
 * Why a device is opened: for the rig's own workload; for an engine driven from here, so that no process of the rig's is
 * started; or to be looked at, when the workload is started only where nobody else could answer its pings.
 */
export type Purpose = "workload" | "engine" | "looked at";

/** How a device is opened. */
export interface Opening extends Emulation {
  /** By default the rig's own workload. */
  readonly purpose?: Purpose;
}

/** The command of the simulated phone. */
function phone(rig: Rig, { zero_ns, startFile }: Emulation): readonly string[] {
  const program = fileURLToPath(new URL("../simulate/phone-main.js", import.meta.url));
  const { seed, clock_offset_s, clock_ppm } = rig.simulate;
  const clock = [`--offset-s=${clock_offset_s}`, `--ppm=${clock_ppm}`, `--zero-ns=${zero_ns}`];
  return [process.execPath, program, `--seed=${seed}`, ...clock, `--start-file=${startFile}`];
}

/**
 * Reaches the rig's device and, where the rig names a command, starts it; it waits for `start` then.
 *
 * A command answers pings itself, as docs/device-protocol.md says, where its channel lives as long as it does; one that
 * outlives its link is heard through a file, which is too slow for pings, and engines know none: a resident loop on the
 * device answers them.
 *
 * @throws JoulebenchError `config` or `link`
 */
export async function openDevice(rig: Rig, opening: Opening, watcher: Omit<LinkWatcher, "patience_s">): Promise<DeviceLink> {
  const { transport: wanted, ...own } = rig.device!;
  const { command, emulated } = opening.purpose === "engine" ? {} : own;
  const kind = transports.find((each) => each.kind === wanted.kind);
  if (!kind) throw new JoulebenchError("config", rig.name, `unknown transport ${wanted.kind}`);
  const transport = await kind.open(wanted, watcher.now);
  let link: DeviceLink | undefined;
  try {
    if (rig.device!.link === "wifi" && opening.purpose !== "looked at") await toNetwork(transport, wanted.kind);
    link = new DeviceLink(transport, await transport.identity(), { ...watcher, patience_s: rig.plan.link_patience_s });
    if (outlives(transport) || (!command && !emulated)) await link.openResponder();
    if (outlives(transport) && opening.purpose === "looked at") return link;
    if (command) await link.startProcess(command);
    else if (emulated) await link.startProcess(phone(rig, opening), ["emulated", "phone"]);
    return link;
  } catch (error) {
    await (link ?? transport).close().catch(() => undefined); // The error at hand says more.
    throw error;
  }
}

/** Leaves the cable, which is to be cut. @throws JoulebenchError `config` where the transport has none to leave */
async function toNetwork(transport: Transport, kind: string): Promise<void> {
  if (!transport.toNetwork)
    throw new JoulebenchError("config", "device.link", `\`wifi\` is for adb; ${kind} has no cable to leave, so write \`usb\``);
  await transport.toNetwork();
}
