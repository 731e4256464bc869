import { JoulebenchError } from "../../src/model/errors.ts";
import type { Channel, Transport } from "../../src/model/transport.ts";
import type { ShellTransport } from "../../src/transports/durable-channel.ts";

/** What a cut link says. */
export const LOST = new JoulebenchError("link", "the device", "the link is cut");

/** A link to this machine that can be cut: every channel dies, what runs durably goes on. */
export class CuttableLink implements Transport {
  readonly #channels = new Set<Channel>();
  readonly #local: ShellTransport;
  isCut = false;
  /** Asked with each command; what it throws is the link's answer, in place of the device's. */
  before: (argv: readonly string[]) => Promise<void> = async () => {};

  constructor(local: ShellTransport) {
    this.#local = local;
  }

  async open(argv: readonly string[]): Promise<Channel> {
    await this.before(argv);
    if (this.isCut) throw LOST;
    const channel = await this.#local.open(argv);
    this.#channels.add(channel);
    return channel;
  }

  run: ShellTransport["run"] = async (argv, options) => {
    await this.before(argv);
    if (this.isCut) throw LOST;
    return this.#local.run(argv, options);
  };

  identity = () => this.#local.identity();

  async cut(): Promise<void> {
    this.isCut = true;
    await Promise.all([...this.#channels].map((each) => each.close()));
    this.#channels.clear();
  }

  /** Once, as a session does when it goes on. */
  async reconnect(): Promise<void> {
    if (this.isCut) throw LOST;
  }

  close = () => this.#local.close();
}
