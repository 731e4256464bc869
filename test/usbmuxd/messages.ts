/** Bytes of a header: length with header, version, kind of message, tag; each 32 bits, little endian. */
const HEADER_BYTES = 16;
/** The version, and kind of message, whose payload is an XML property list. */
const PLIST_VERSION = 1;
const PLIST_MESSAGE = 8;

export type Plist = string | number | boolean | readonly Plist[] | { readonly [key: string]: Plist };

/** A request as clients of usbmuxd send it: a flat dictionary. */
export interface Request {
  readonly tag: number;
  readonly type: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Cuts what a client sends into requests. @throws Error for another version than that of property lists */
export class RequestReader {
  #held: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Request[] {
    this.#held = Buffer.concat([this.#held, chunk]);
    const requests: Request[] = [];
    while (this.#held.length >= HEADER_BYTES && this.#held.length >= this.#held.readUInt32LE(0)) {
      const length = this.#held.readUInt32LE(0);
      requests.push(requestOf(this.#held.subarray(0, length)));
      this.#held = this.#held.subarray(length);
    }
    return requests;
  }

  /** What came after the last request; it belongs to whatever the connection has become. */
  rest(): Buffer {
    return this.#held;
  }
}

function requestOf(packet: Buffer): Request {
  const [version, message, tag] = [packet.readUInt32LE(4), packet.readUInt32LE(8), packet.readUInt32LE(12)];
  if (version !== PLIST_VERSION || message !== PLIST_MESSAGE)
    throw new Error(`message ${message} of version ${version} is no property list`);
  const text = packet.subarray(HEADER_BYTES).toString("utf8");
  const pairs = [...text.matchAll(/<key>(\w+)<\/key>\s*<(?:string|integer)>([^<]*)</g)];
  const fields = Object.fromEntries(pairs.map(([, key, value]) => [key!, value!]));
  return { tag, type: fields.MessageType ?? "", fields };
}

/** A message of usbmuxd; `tag` is that of the request it answers, 0 for news. */
export function message(tag: number, content: Plist): Buffer {
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">${xmlOf(content)}</plist>
`;
  const payload = Buffer.from(text, "utf8");
  const header = Buffer.alloc(HEADER_BYTES);
  for (const [k, word] of [HEADER_BYTES + payload.length, PLIST_VERSION, PLIST_MESSAGE, tag].entries()) header.writeUInt32LE(word, 4 * k);
  return Buffer.concat([header, payload]);
}

function xmlOf(value: Plist): string {
  if (typeof value === "string") return `<string>${value}</string>`;
  if (typeof value === "number") return `<integer>${value}</integer>`;
  if (typeof value === "boolean") return value ? "<true/>" : "<false/>";
  if (Array.isArray(value)) return `<array>${value.map(xmlOf).join("")}</array>`;
  return `<dict>${Object.entries(value)
    .map(([key, each]) => `<key>${key}</key>${xmlOf(each as Plist)}`)
    .join("")}</dict>`;
}
