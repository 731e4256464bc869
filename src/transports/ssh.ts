import type { HostNs } from "../model/clock.ts";
import type { Channel, Finished, Forward, Identity, RunOptions, Transport, TransportKind } from "../model/transport.ts";
import { within } from "./deadline.ts";
import { forwardBy } from "./loopback-forward.ts";
import { remoteCommand, whenStarted } from "./remote-command.ts";
import { IDENTITY_COMMAND, identityFrom } from "./remote-identity.ts";
import { finish } from "./run-command.ts";
import { SshChannel } from "./ssh-channel.ts";
import { pullFile, pushFile } from "./ssh-files.ts";
import { SshLink } from "./ssh-link.ts";
import { SshOptions } from "./ssh-options.ts";

/** A device that runs sshd, over one connection of our own: it reads no ssh_config. */
export const ssh: TransportKind = {
  kind: "ssh",
  summary: "a device reached by ssh",
  options: SshOptions,
  open: async (options, now) => {
    const parsed = SshOptions.strip().parse(options);
    return new SshTransport(parsed, now, await SshLink.open(parsed));
  },
};

class SshTransport implements Transport {
  readonly #options: SshOptions;
  readonly #now: () => HostNs;
  readonly #channels = new Set<Channel>();
  readonly #forwards = new Set<Forward>();
  #link: SshLink;

  constructor(options: SshOptions, now: () => HostNs, link: SshLink) {
    this.#options = options;
    this.#now = now;
    this.#link = link;
  }

  async open(argv: readonly string[]): Promise<Channel> {
    const command = remoteCommand(argv);
    const link = this.#link;
    const channel = await link.exec(command.line, (stream) => new SshChannel(stream, link, command.name, this.#now));
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

  push(local: string, remote: string): Promise<void> {
    return pushFile(this.#link, local, remote);
  }

  pull(remote: string, local: string): Promise<void> {
    return pullFile(this.#link, remote, local);
  }

  async forward(port: number): Promise<Forward> {
    const link = this.#link;
    if (link.loss) throw link.loss;
    const forward = await forwardBy(async () => link.connect(port));
    this.#forwards.add(forward);
    return forward;
  }

  async identity(): Promise<Identity> {
    return identityFrom(await this.run(IDENTITY_COMMAND), "ssh", this.#link.name);
  }

  async reconnect(): Promise<void> {
    await this.#link.close();
    await this.#closeForwards();
    this.#link = await SshLink.open(this.#options);
  }

  async close(): Promise<void> {
    const closed = await Promise.allSettled([...this.#channels].map((channel) => channel.close()));
    await this.#closeForwards();
    await this.#link.close();
    const failed = closed.find((each) => each.status === "rejected");
    if (failed) throw failed.reason;
  }

  async #closeForwards(): Promise<void> {
    await Promise.all([...this.#forwards].map((forward) => forward.close()));
    this.#forwards.clear();
  }
}
