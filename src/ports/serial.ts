import { realpath } from "node:fs/promises";
import type { ReadStream } from "node:tty";
import { JoulebenchError } from "../model/errors.ts";
import type { HostClock, Port, PortChunk } from "../model/port.ts";
import { ChunkQueue } from "./queue.ts";
import { openReader } from "./reader.ts";
import { mustBeDevice, refusal } from "./refusal.ts";

export interface SerialSettings {
  readonly path: string;
  /** Bits per second; ignored by devices whose USB is native. */
  readonly baud: number;
  readonly now: HostClock;
}

/** Most bytes that may wait to be written: a device that takes nothing is not fed for ever. */
const UNSENT_BYTES = 65536;

/** What is used of serialport's binding: all but its reader. */
interface Binding {
  write(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a serial port, 8 data bits, no parity, raw, for this process alone. Linux and macOS.
 *
 * serialport opens, configures, locks and writes; the bytes are read here. Its own reader spins for ever, without an
 * event, when a device vanishes while bytes flow: it takes the end of file for "nothing yet".
 *
 * Opening raises DTR, which resets most Arduinos and many ESP32 boards: nothing they send in the next 2 s need be
 * theirs. Closing leaves DTR up, so that it does not reset them again. What the device sent before the opening is dropped.
 *
 * Reading starts at once and runs ahead of the consumer by at most QUEUE_BYTES or QUEUE_CHUNKS, beyond which the kernel
 * holds the rest. A silent device is legal. A lost one ends the iteration with a `link` error after the bytes it had
 * sent, and gives the port free. Loss is noticed by reading: while the consumer leaves the queue full, only by writing.
 *
 * @throws JoulebenchError `link` when the port is absent or busy, `config` when it is no serial port or not permitted.
 */
export async function openSerial({ path, baud, now }: SerialSettings): Promise<Port> {
  await mustBeDevice(path);
  const { SerialPort } = await import("serialport"); // takes 40 ms, which commands without a port need not wait
  try {
    const device = await realpath(path); // two opens, one device, even when the name is given to another in between
    const binding = await SerialPort.binding.open({ path: device, baudRate: baud, hupcl: false, lock: true });
    const queue: ChunkQueue = new ChunkQueue(() => reader.resume());
    const reader = await openReader(device, (bytes) => queue.push({ bytes: bytes.slice(), host_ns: now() })).catch(async (error) => {
      await binding.close();
      throw error;
    });
    return new SerialPortLink(path, binding, reader, queue);
  } catch (cause) {
    throw await refusal(path, cause);
  }
}

class SerialPortLink implements Port {
  readonly #path: string;
  readonly #binding: Binding;
  readonly #reader: ReadStream;
  readonly #queue: ChunkQueue;
  #unsent = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #over: JoulebenchError | undefined;
  #released: Promise<void> | undefined;

  constructor(path: string, binding: Binding, reader: ReadStream, queue: ChunkQueue) {
    this.#path = path;
    this.#binding = binding;
    this.#reader = reader;
    this.#queue = queue;
    this.#reader.on("error", (cause) => this.#lose("reading", cause));
    this.#reader.on("end", () => this.#lose("reading"));
    this.#reader.resume();
  }

  [Symbol.asyncIterator](): AsyncIterator<PortChunk> {
    return this.#queue[Symbol.asyncIterator]();
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#over) throw this.#over;
    if (this.#unsent > 0 && this.#unsent + bytes.length > UNSENT_BYTES) {
      throw new JoulebenchError("link", this.#path, `takes nothing: ${this.#unsent} bytes wait to be sent; check the device and its cable`);
    }
    const own = Buffer.from(bytes); // the caller may reuse its buffer meanwhile
    this.#unsent += own.length;
    // In turns: a write that the kernel takes in parts must not be cut by the next.
    const turn = this.#turn.then(() => this.#binding.write(own));
    this.#turn = turn.catch(() => {}); // reported below, to whoever wrote it
    try {
      await turn;
    } catch (cause) {
      throw this.#lose("writing", cause);
    } finally {
      this.#unsent -= own.length;
    }
  }

  async close(): Promise<void> {
    this.#over ??= new JoulebenchError("link", this.#path, "has been closed; open it again to write");
    this.#queue.end();
    await this.#release();
  }

  /** The first end of the port decides what everybody hears. */
  #lose(doing: string, cause?: unknown): JoulebenchError {
    this.#over ??= new JoulebenchError("link", this.#path, `vanished while ${doing}; check its plug and its supply, then open it again`, {
      cause,
    });
    this.#queue.end(this.#over);
    void this.#release();
    return this.#over;
  }

  /** Never rejects: a descriptor that cannot be closed in good order is closed all the same. */
  #release(): Promise<void> {
    this.#released ??= (async () => {
      // The reader first: the kernel may hold the last close until unsent bytes are out, and this one holds up the thread.
      const closed = new Promise((resolve) => this.#reader.once("close", resolve));
      this.#reader.destroy();
      await closed;
      await this.#binding.close().catch(() => {});
    })();
    return this.#released;
  }
}
