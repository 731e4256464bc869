import { JoulebenchError } from "../model/errors.ts";
import type { Transport } from "../model/transport.ts";
import type { AdbLink } from "./adb-link.ts";
import { within } from "./deadline.ts";

/** The device's address in its Wi-Fi. @throws JoulebenchError `config` when it has none; `link` */
export async function networkAddress(device: Required<Pick<Transport, "run">>): Promise<string> {
  const { output } = await device.run(["ip", "-f", "inet", "addr", "show", "wlan0"]);
  const address = /\binet (\d+\.\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (!address) throw new JoulebenchError("config", "device", "it has no address in a Wi-Fi; connect its Wi-Fi to this computer's network");
  return address;
}

/** Has adbd listen in the network; every stream of the device is lost with that. @throws JoulebenchError `link` when it does not */
export async function restartInNetwork(link: AdbLink, port: number): Promise<void> {
  const socket = await link.service(`tcpip:${port}`);
  const read = async (): Promise<string> => {
    const decoder = new TextDecoder();
    let said = "";
    for await (const chunk of socket.readable) said += decoder.decode(chunk, { stream: true });
    return said.trim();
  };
  const said = await within(read(), link.limit_s, link.serial);
  if (!said.startsWith("restarting in TCP mode"))
    throw new JoulebenchError("link", link.serial, `adbd does not go into the network: ${said || "no answer"}`);
}
