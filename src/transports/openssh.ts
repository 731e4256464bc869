import { Duplex } from "node:stream";
import type { HostNs } from "../model/clock.ts";
import type { Channel, Finished, Forward, Identity, RunOptions, Transport, TransportKind } from "../model/transport.ts";
import { within } from "./deadline.ts";
import { forwardBy } from "./loopback-forward.ts";
import { OpensshChannel } from "./openssh-channel.ts";
import { pullBySftp, pushBySftp } from "./openssh-files.ts";
import { OpensshLink } from "./openssh-link.ts";
import { OpensshOptions } from "./openssh-options.ts";
import { remoteCommand, whenStarted } from "./remote-command.ts";
import { IDENTITY_COMMAND, identityFrom } from "./remote-identity.ts";
import { finish } from "./run-command.ts";

/** A device that runs sshd, through the system's ssh: with all that ssh_config, agents, tokens and proxies can do. */
export const openssh: TransportKind = {
  kind: "openssh",
  summary: "a device reached by the system's ssh and its configuration",
  options: OpensshOptions,
  open: async (options, now) => {
    const transport = new OpensshTransport(OpensshOptions.strip().parse(options), now);
    await transport.connect();
    return transport;
  },
};

class OpensshTransport implements Transport {
  readonly #options: OpensshOptions;
  readonly #now: () => HostNs;
  readonly #channels = new Set<OpensshChannel>();
  readonly #forwards = new Set<Forward>();
  #connection: OpensshLink | undefined;

  constructor(options: OpensshOptions, now: () => HostNs) {
    this.#options = options;
    this.#now = now;
  }

  /** @throws JoulebenchError `config` or `link`: without a shared connection, too, the first command tells whether there is a way */
  async connect(): Promise<void> {
    this.#connection = await OpensshLink.open(this.#options);
    if (this.#options.multiplex) return;
    await this.run(["true"]).catch(async (error) => {
      await this.#connection?.close();
      throw error;
    });
  }

  async open(argv: readonly string[]): Promise<Channel> {
    const command = remoteCommand(argv);
    const link = this.#link();
    const channel = new OpensshChannel(await link.client.exec(command.line), link, command.name, this.#now);
    this.#channels.add(channel);
    const forget = () => this.#channels.delete(channel);
    channel.exit.then(forget, forget);
    try {
      channel.pid = await within(whenStarted(channel, command), this.#options.connect_timeout_s, command.name);
      return channel;
    } catch (error) {
      await channel.close();
      throw error;
    }
  }

  async run(argv: readonly string[], options?: RunOptions): Promise<Finished> {
    return finish(await this.open(argv), argv[0] ?? "", options);
  }

  async push(local: string, remote: string): Promise<void> {
    await pushBySftp(this.#link().client, local, remote);
  }

  async pull(remote: string, local: string): Promise<void> {
    await pullBySftp(this.#link().client, remote, local);
  }

  async forward(port: number): Promise<Forward> {
    const { client } = this.#link();
    const forward = await forwardBy(async () => {
      const started = await client.connect(port);
      const { child } = started;
      child.stderr.resume();
      child.once("exit", () => client.forget(started));
      return Duplex.from({ readable: child.stdout, writable: child.stdin }).once("close", () => child.kill());
    });
    this.#forwards.add(forward);
    return forward;
  }

  async identity(): Promise<Identity> {
    return identityFrom(await this.run(IDENTITY_COMMAND), "openssh", this.#link().name);
  }

  async reconnect(): Promise<void> {
    const before = [...this.#channels];
    await this.#connection?.close();
    await this.#closeForwards();
    for (const channel of before) channel.drop();
    await this.connect();
  }

  async close(): Promise<void> {
    const closed = await Promise.allSettled([...this.#channels].map((channel) => channel.close()));
    await this.#closeForwards();
    await this.#connection?.close();
    const failed = closed.find((each) => each.status === "rejected");
    if (failed) throw failed.reason;
  }

  /** @throws JoulebenchError `link` when it is known to be lost */
  #link(): OpensshLink {
    const { loss } = this.#connection!;
    if (loss) throw loss;
    return this.#connection!;
  }

  async #closeForwards(): Promise<void> {
    await Promise.all([...this.#forwards].map((forward) => forward.close()));
    this.#forwards.clear();
  }
}
