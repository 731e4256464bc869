import type { HostClock, Port } from "../model/port.ts";
import { openProcess } from "./process.ts";
import { openSerial } from "./serial.ts";

export { listSerialPorts, type SerialPortInfo } from "./list.ts";

/** Where the bytes of an instrument come from, as a rig names it. */
export type PortSpec =
  | { readonly kind: "serial"; readonly path: string; readonly baud: number }
  | { readonly kind: "process"; readonly argv: readonly string[] };

/** Opens what a rig names. @throws JoulebenchError `config` or `link`, saying what to do. */
export function openPort(spec: PortSpec, now: HostClock): Promise<Port> {
  return spec.kind === "serial" ? openSerial({ ...spec, now }) : openProcess({ ...spec, now });
}
