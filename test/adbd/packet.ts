/** A message between an adb server and a device: header of six words, then the payload (AOSP adb/protocol.txt). */
export interface Packet {
  readonly command: Command;
  readonly arg0: number;
  readonly arg1: number;
  readonly payload: Buffer;
}

export type Command = "CNXN" | "AUTH" | "OPEN" | "OKAY" | "WRTE" | "CLSE";

const HEADER_BYTES = 24;
/** What this device takes in one message, as phones since Android 9 do. */
export const MAX_PAYLOAD = 1 << 20;

const checksum = (payload: Buffer): number => {
  let sum = 0;
  for (const byte of payload) sum += byte;
  return sum >>> 0;
};

export function encode(command: Command, arg0: number, arg1: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const word = Buffer.from(command).readUInt32LE();
  [word, arg0, arg1, payload.length, checksum(payload), (word ^ 0xffffffff) >>> 0].forEach((each, at) => {
    header.writeUInt32LE(each, at * 4);
  });
  return Buffer.concat([header, payload]);
}

/** Cuts bytes into packets. */
export class PacketCutter {
  #chunks: Buffer[] = [];
  #held = 0;

  /** @throws Error on a header that is none, or a payload whose sum is wrong where one is given */
  *push(chunk: Buffer): Generator<Packet> {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    while (this.#held >= HEADER_BYTES) {
      const length = this.#peek().readUInt32LE(12);
      if (this.#held < HEADER_BYTES + length) return;
      const bytes = Buffer.concat(this.#chunks);
      this.#held -= HEADER_BYTES + length;
      this.#chunks = [bytes.subarray(HEADER_BYTES + length)];
      yield decode(bytes.subarray(0, HEADER_BYTES + length));
    }
  }

  #peek(): Buffer {
    if (this.#chunks[0]!.length < HEADER_BYTES) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }
}

function decode(bytes: Buffer): Packet {
  const [word, arg0, arg1, , sum, magic] = Array.from({ length: 6 }, (_, at) => bytes.readUInt32LE(at * 4)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if ((word ^ 0xffffffff) >>> 0 !== magic) throw new Error(`no adb header: ${bytes.subarray(0, HEADER_BYTES).toString("hex")}`);
  const payload = bytes.subarray(HEADER_BYTES);
  // Servers that know version 0x01000001 leave the sum out once the device has said that it knows it, too.
  if (sum !== 0 && sum !== checksum(payload)) throw new Error(`wrong checksum of ${bytes.toString("latin1", 0, 4)}`);
  return { command: bytes.toString("latin1", 0, 4) as Command, arg0, arg1, payload };
}
