import { connect, type Socket } from "node:net";
import { JoulebenchError } from "../model/errors.ts";

/** Where usbmuxd listens on Linux and macOS, unless the variable that its own clients know says otherwise. */
const ADDRESS_VARIABLE = "USBMUXD_SOCKET_ADDRESS";
const ADDRESS = "UNIX:/var/run/usbmuxd";

/** A header is length with header, version, kind of message and tag, 32 bits each, little endian; 1 and 8: a property list. */
const HEADER_BYTES = 16;
const PLIST_VERSION = 1;
const PLIST_MESSAGE = 8;
const TAG = 1;
const REQUEST = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>MessageType</key><string>ListDevices</string>
<key>ClientVersionString</key><string>joulebench</string>
<key>ProgName</key><string>joulebench</string>
</dict></plist>
`;

/** No list of devices is longer; what is, is something else. */
const MOST_BYTES = 1 << 20;
const LIMIT_MS = 5000;

/** The names (UDIDs) of the iPhones at this machine's USB ports, as usbmuxd lists them. @throws JoulebenchError `link` */
export async function attachedPhones(): Promise<readonly string[]> {
  const address = process.env[ADDRESS_VARIABLE] || ADDRESS;
  const socket = connect(placeOf(address));
  try {
    return phonesIn(await answerOf(socket));
  } catch (error) {
    const advice = "install and start usbmuxd (on macOS it always runs), then plug in the iPhone";
    throw new JoulebenchError("link", "ios", `usbmuxd does not answer at ${address}: ${(error as Error).message}; ${advice}`, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}

function placeOf(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith("UNIX:")) return { path: address.slice(5) };
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(colon + 1)) };
}

async function answerOf(socket: Socket): Promise<string> {
  const payload = Buffer.from(REQUEST, "utf8");
  const header = Buffer.alloc(HEADER_BYTES);
  const words = [HEADER_BYTES + payload.length, PLIST_VERSION, PLIST_MESSAGE, TAG];
  for (const [k, word] of words.entries()) header.writeUInt32LE(word, 4 * k);
  socket.setTimeout(LIMIT_MS, () => socket.destroy(new Error(`nothing within ${LIMIT_MS / 1000} s`)));
  socket.write(Buffer.concat([header, payload]));
  let held = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    held = Buffer.concat([held, chunk]);
    if (held.length < HEADER_BYTES) continue;
    const length = held.readUInt32LE(0);
    if (length < HEADER_BYTES || length > MOST_BYTES) throw new Error("what it says is no message of usbmuxd");
    if (held.length >= length) return held.toString("utf8", HEADER_BYTES, length);
  }
  throw new Error("it hung up");
}

/** Phones that usbmuxd knows over Wi-Fi are left out: iproxy asks for them by an option of its own, and USB delays less. */
function phonesIn(answer: string): string[] {
  const properties = [...answer.matchAll(/<key>Properties<\/key>\s*<dict>([\s\S]*?)<\/dict>/g)].map((match) => match[1]!);
  const textOf = (dict: string, key: string) => new RegExp(`<key>${key}</key>\\s*<string>([^<]+)</string>`).exec(dict)?.[1];
  const names = properties.filter((dict) => textOf(dict, "ConnectionType") === "USB").map((dict) => textOf(dict, "SerialNumber"));
  return names.filter((name) => name !== undefined);
}
