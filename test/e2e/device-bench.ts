import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sshd } from "../sshd/sshd.ts";
import { optionsFor } from "../transports/ssh-bench.ts";

/** What a rig says of a device behind `sshd`; `more` replaces keys of its transport. */
export const overSsh = (sshd: Sshd, more: object = {}): string => JSON.stringify({ kind: "ssh", ...optionsFor(sshd, more) });

/** A meter that is not plugged in: what is said of the device needs none. */
export const NO_METER = "port: /dev/ttyNOWHERE0";

/** Writes a rig whose meter is emulated with a constant load, or as `meter` says, and whose device is given. @returns its path */
export function writeDeviceRig(dir: string, name: string, device: string, meter = "emulated: bridge-ina219"): string {
  const path = join(dir, `${name}.yaml`);
  writeFileSync(
    path,
    `name: test
instruments:
  meter: { kind: bridge-ina219, ${meter}, shunt_ohm: 0.1, gain_uncertainty: 0.002, usb_latency_s: 0.0002 }
measurand: meter.main
device:
${device.replace(/^(?=.)/gm, "  ")}
${meter.startsWith("port") ? "" : "simulate: { load_w: 2 }\n"}`,
  );
  return path;
}
