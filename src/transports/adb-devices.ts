import type { AdbServerClient } from "@yume-chan/adb";
import { JoulebenchError } from "../model/errors.ts";
import { isAddress } from "./adb-options.ts";

/** A line of `adb devices -l`. */
export interface AdbDevice {
  readonly serial: string;
  /** `device` when it can be used; `offline`, `unauthorized`, `no permissions (…)`, … */
  readonly state: string;
  readonly model: string | undefined;
  readonly transportId: bigint;
}

/** Every device the server knows, whatever its state. @throws Error when the server does not answer */
export async function listDevices(client: AdbServerClient): Promise<readonly AdbDevice[]> {
  const stream = await client.createConnection("host:devices-l");
  try {
    return parseDevices(await stream.readString());
  } finally {
    await stream.dispose();
  }
}

/** Lines that are none are left out. */
export function parseDevices(text: string): readonly AdbDevice[] {
  return text.split("\n").flatMap((line) => {
    const [, serial, said, id] = /^(\S+)\s+(.*)\btransport_id:(\d+)/.exec(line) ?? [];
    if (!serial || said === undefined || id === undefined) return [];
    const state = said.replace(/\s*\b(usb|product|model|device):\S+/g, "").trim();
    return [{ serial, state, model: / model:(\S+)/.exec(line)?.[1], transportId: BigInt(id) }];
  });
}

/**
 * The device a rig means.
 *
 * @returns undefined while there is none of that name
 * @throws JoulebenchError `config` when several could be meant
 */
export function choose(devices: readonly AdbDevice[], serial: string | undefined): AdbDevice | undefined {
  if (serial !== undefined) return devices.find((each) => each.serial === serial);
  if (devices.length > 1)
    throw new JoulebenchError("config", "adb", `several devices are connected; say which as \`serial:\` in the rig: ${names(devices)}`);
  return devices[0];
}

/** Why there is no such device, after it has been waited for. */
export function missing(devices: readonly AdbDevice[], serial: string | undefined): JoulebenchError {
  const usb = "plug it in, switch USB debugging on in its developer options, and see whether `adb devices` lists it";
  if (serial === undefined) return new JoulebenchError("config", "adb", `no device is connected; ${usb}`);
  const others = devices.length > 0 ? `connected are ${names(devices)}` : "none is connected";
  return new JoulebenchError("config", serial, `there is no such device, ${others}; correct \`serial:\` in the rig, or ${usb}`);
}

/** It may be usable in a moment, as one that was just plugged in, or stay as it is. */
export const isConnecting = ({ state }: AdbDevice): boolean => /^(offline|connecting|authorizing)$/.test(state);

/** Why a device that is listed cannot be used. */
export function unusable({ serial, state }: AdbDevice, said = ""): JoulebenchError {
  const refuse = (message: string) => new JoulebenchError("config", serial, message);
  if (state === "unauthorized")
    return refuse(
      "it does not trust this computer: unlock it and accept the key on the phone's screen; if it shows none, unplug it and plug it in again",
    );
  if (state.startsWith("no permissions"))
    return refuse(`this user may not open its USB device: ${state}; install Android's udev rules (android-sdk-platform-tools-common)`);
  const todo = isAddress(serial)
    ? "is it switched on and in this network? Else switch its debugging over Wi-Fi off and on"
    : "unplug it and plug it in again, or switch its USB debugging off and on";
  return new JoulebenchError("link", serial, `it is ${state}${said && `; adb said: ${said}`}; ${todo}`);
}

const names = (devices: readonly AdbDevice[]): string =>
  devices.map(({ serial, state, model }) => `${serial} (${[model, state].filter(Boolean).join(", ")})`).join(", ");
