import { encode, MAX_PAYLOAD } from "./packet.ts";

/** The device's end of one stream. One message is under way at a time; the next one waits until it is acknowledged. */
export class DeviceStream {
  /** Told of what comes in; the sender goes on when the promise has resolved. */
  onData: (bytes: Buffer) => void | Promise<void> = () => {};
  /** Told once when the other end, or the connection, has gone. */
  onGone: () => void = () => {};
  readonly #send: (packet: Buffer) => void;
  readonly #local: number;
  readonly #remote: number;
  #sent: Promise<void> = Promise.resolve();
  #acknowledge: () => void = () => {};
  #isOver = false;
  #isAccepted = false;

  constructor(send: (packet: Buffer) => void, local: number, remote: number) {
    this.#send = send;
    this.#local = local;
    this.#remote = remote;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  accept(): void {
    this.#isAccepted = true;
    this.#send(encode("OKAY", this.#local, this.#remote));
  }

  /** Resolves when the other end has taken it, or is gone. */
  write(bytes: Buffer): Promise<void> {
    this.#sent = this.#sent.then(async () => {
      for (let at = 0; at < bytes.length && !this.#isOver; at += MAX_PAYLOAD) {
        const taken = new Promise<void>((resolve) => {
          this.#acknowledge = resolve;
        });
        this.#send(encode("WRTE", this.#local, this.#remote, bytes.subarray(at, at + MAX_PAYLOAD)));
        await taken;
      }
    });
    return this.#sent;
  }

  /** Ends the stream once everything written has been taken; one that was not accepted is refused. */
  async end(): Promise<void> {
    await this.#sent;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#send(encode("CLSE", this.#isAccepted ? this.#local : 0, this.#remote));
  }

  acknowledged(): void {
    this.#acknowledge();
  }

  async received(bytes: Buffer): Promise<void> {
    await this.onData(bytes);
    if (!this.#isOver) this.accept();
  }

  gone(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#acknowledge();
    this.onGone();
  }
}
