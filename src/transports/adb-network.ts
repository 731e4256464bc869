import { JoulebenchError } from "../model/errors.ts";
import type { Transport } from "../model/transport.ts";
import { AdbLink } from "./adb-link.ts";
import type { AdbOptions } from "./adb-options.ts";
import { within } from "./deadline.ts";

/** The device's address in its Wi-Fi. @throws JoulebenchError `config` when it has none; `link` */
export async function networkAddress(device: Required<Pick<Transport, "run">>): Promise<string> {
  const { output } = await device.run(["ip", "-f", "inet", "addr", "show", "wlan0"]);
  const address = /\binet (\d+\.\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (!address) throw new JoulebenchError("config", "device", "it has no address in a Wi-Fi; connect its Wi-Fi to this computer's network");
  return address;
}

/** After its restart adbd may take this long to listen, and refuses until then. */
const LISTENS_S = 10;
const RETRY_MS = 250;

/** Connects to an adbd that is about to listen. @throws JoulebenchError as {@link AdbLink.open} does, once it had its time */
export async function whenItListens(options: AdbOptions, address: string): Promise<AdbLink> {
  const until_ms = performance.now() + LISTENS_S * 1000;
  for (;;) {
    try {
      return await AdbLink.open(options, address, true);
    } catch (error) {
      if (!(error instanceof JoulebenchError) || error.kind !== "link" || performance.now() > until_ms) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Has adbd listen on its cable alone, as it did before. @throws JoulebenchError `link` */
export async function restartOnCable(link: AdbLink): Promise<void> {
  await restart(link, "usb:", "restarting in USB mode");
}

/** Has adbd listen in the network; every stream of the device is lost with that. @throws JoulebenchError `link` when it does not */
export async function restartInNetwork(link: AdbLink, port: number): Promise<void> {
  await restart(link, `tcpip:${port}`, "restarting in TCP mode");
}

async function restart(link: AdbLink, service: string, wanted: string): Promise<void> {
  const socket = await link.service(service);
  const read = async (): Promise<string> => {
    const decoder = new TextDecoder();
    let said = "";
    for await (const chunk of socket.readable) said += decoder.decode(chunk, { stream: true });
    return said.trim();
  };
  const said = await within(read(), link.limit_s, link.serial);
  if (!said.startsWith(wanted))
    throw new JoulebenchError("link", link.serial, `adbd was to start anew (${service}) and does not: ${said || "no answer"}`);
}
