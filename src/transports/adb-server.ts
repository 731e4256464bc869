import { AdbServerClient } from "@yume-chan/adb";
import { JoulebenchError } from "../model/errors.ts";
import { AdbConnector } from "./adb-connector.ts";
import { type AdbDevice, isConnecting, listDevices, unusable } from "./adb-devices.ts";
import { AdbOptions, serverPortOf } from "./adb-options.ts";
import { startServer } from "./adb-program.ts";
import { within } from "./deadline.ts";

/** A device on USB is not listed at once by a server that was just started. */
export const APPEAR_S = 3;
export const POLL_MS = 50;

/**
 * Makes sure that an adb server answers, and starts one where there is none.
 *
 * @returns whether it was started just now
 * @throws JoulebenchError `config` when there is no adb, or something else listens; `link` when the server does not start
 */
export async function reachServer(client: AdbServerClient, options: AdbOptions): Promise<boolean> {
  const port = serverPortOf(options);
  const subject = `adb server on port ${port}`;
  const ask = () => within(client.getVersion(), options.answer_timeout_s, subject);
  try {
    await ask();
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ECONNREFUSED" && code !== "ECONNRESET")
      throw new JoulebenchError("config", subject, `what listens there is no adb server: ${(error as Error).message}`, { cause: error });
    await startServer(options);
    await ask();
    return true;
  }
}

/** An Android device as somebody sees it who chooses one. */
export interface ListedDevice {
  readonly serial: string;
  readonly model: string | undefined;
  /** Why it cannot be used and what to do; undefined where it can. */
  readonly problem: string | undefined;
}

/**
 * The devices that the adb server of this host knows; one that is about to connect is waited for, 3 s at most.
 *
 * @throws JoulebenchError as {@link reachServer}
 */
export async function attachedAndroids(given: Partial<AdbOptions> = {}): Promise<readonly ListedDevice[]> {
  const options = AdbOptions.parse(given);
  const stop = new AbortController();
  const client = new AdbServerClient(new AdbConnector(serverPortOf(options), stop.signal));
  try {
    const isNew = await reachServer(client, options);
    const until_ms = performance.now() + APPEAR_S * 1000;
    for (;;) {
      const devices = await within(listDevices(client), options.answer_timeout_s, "adb server");
      const isSettled = !devices.some(isConnecting) && !(isNew && devices.length === 0);
      if (isSettled || performance.now() > until_ms) return devices.map(listed);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } catch (error) {
    if (error instanceof JoulebenchError) throw error;
    throw new JoulebenchError("link", "adb", (error as Error).message, { cause: error });
  } finally {
    stop.abort();
  }
}

function listed(device: AdbDevice): ListedDevice {
  const { serial, model, state } = device;
  const problem = state === "device" ? undefined : unusable(device).message.slice(serial.length + 2);
  return { serial, model: model?.replaceAll("_", " "), problem };
}
