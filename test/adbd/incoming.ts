import type { DeviceStream } from "./device-stream.ts";

/** What comes in on a stream, read by the piece; the sender waits while nobody reads. */
export class Incoming {
  #chunks: Buffer[] = [];
  #held = 0;
  #isOver = false;
  #wanted = 1;
  #arrived: () => void = () => {};
  #taken: () => void = () => {};

  constructor(stream: DeviceStream) {
    stream.onData = (bytes) => {
      this.#chunks.push(bytes);
      this.#held += bytes.length;
      const taken = new Promise<void>((resolve) => {
        this.#taken = resolve;
      });
      if (this.#held < this.#wanted) this.#taken();
      this.#arrived();
      return taken;
    };
    stream.onGone = () => {
      this.#isOver = true;
      this.#arrived();
    };
  }

  /** @throws Error when the stream ends first */
  async read(length: number): Promise<Buffer> {
    this.#wanted = length;
    while (this.#held < length) {
      if (this.#isOver) throw new Error("the stream has ended");
      this.#taken();
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [bytes.subarray(length)];
    this.#held -= length;
    if (this.#held === 0) this.#taken();
    return bytes.subarray(0, length);
  }
}
