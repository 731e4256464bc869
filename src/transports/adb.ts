import type { HostNs } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Finished, Forward, Identity, RunOptions, Transport, TransportKind } from "../model/transport.ts";
import { AdbChannel } from "./adb-channel.ts";
import { duplexOf } from "./adb-duplex.ts";
import { pullFile, pushFile } from "./adb-files.ts";
import { IDENTITY_COMMAND, identityFrom } from "./adb-identity.ts";
import { AdbLink, LONGEST_SERVICE_BYTES } from "./adb-link.ts";
import { networkAddress, restartInNetwork, restartOnCable, whenItListens } from "./adb-network.ts";
import { AdbOptions, isAddress } from "./adb-options.ts";
import { disconnectDevice } from "./adb-program.ts";
import { within } from "./deadline.ts";
import { forwardBy } from "./loopback-forward.ts";
import { remoteCommand, whenStarted } from "./remote-command.ts";
import { finish } from "./run-command.ts";

const SHELL = "shell,v2,raw:";

/** An Android device, through the adb server of this host. */
export const adb: TransportKind = {
  kind: "adb",
  summary: "an Android device reached by adb",
  options: AdbOptions,
  open: async (options, now) => {
    const parsed = AdbOptions.strip().parse(options);
    return new AdbTransport(parsed, now, await AdbLink.open(parsed, parsed.serial, false));
  },
};

class AdbTransport implements Transport {
  readonly #options: AdbOptions;
  readonly #now: () => HostNs;
  readonly #channels = new Set<Channel>();
  readonly #forwards = new Set<Forward>();
  #link: AdbLink;
  #hasLeftCable = false;

  constructor(options: AdbOptions, now: () => HostNs, link: AdbLink) {
    this.#options = options;
    this.#now = now;
    this.#link = link;
  }

  async open(argv: readonly string[]): Promise<Channel> {
    const command = remoteCommand(argv);
    const link = this.#link;
    const service = SHELL + command.line;
    if (Buffer.byteLength(service) > LONGEST_SERVICE_BYTES)
      throw new JoulebenchError("config", command.name, "its arguments are longer than 64 KiB; put them into a file and push it");
    const channel = new AdbChannel(await link.service(service), link, command.name, this.#now);
    this.#channels.add(channel);
    const forget = () => this.#channels.delete(channel);
    channel.exit.then(forget, forget);
    try {
      channel.pid = await within(whenStarted(channel, command), link.limit_s, command.name);
      return channel;
    } catch (error) {
      await channel.close().catch(() => undefined);
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
    const forward = await forwardBy(async () => duplexOf(await link.service(`tcp:${port}`)));
    this.#forwards.add(forward);
    return forward;
  }

  async identity(): Promise<Identity> {
    return identityFrom(await this.run(IDENTITY_COMMAND), this.#link.serial);
  }

  async reconnect(): Promise<void> {
    await this.#letGo();
    this.#link = await AdbLink.open(this.#options, this.#link.serial, true);
  }

  async toNetwork(): Promise<void> {
    const cable = this.#link;
    if (isAddress(cable.serial)) return;
    const { serial } = await this.identity();
    const address = `${await networkAddress(this)}:${this.#options.network_port}`;
    await restartInNetwork(cable, this.#options.network_port);
    await this.#letGo();
    try {
      this.#link = await whenItListens(this.#options, address);
      const found = await this.identity();
      if (found.serial !== serial)
        throw new JoulebenchError(
          "config",
          address,
          `there answers ${found.serial}, not ${serial}: who else has this address in the Wi-Fi?`,
        );
      this.#hasLeftCable = true;
    } catch (error) {
      this.#link.close();
      this.#link = await AdbLink.open(this.#options, cable.serial, true).catch(() => cable);
      throw error;
    }
  }

  async close(): Promise<void> {
    const closed = await Promise.allSettled([...this.#channels].map((channel) => channel.close()));
    if (this.#hasLeftCable) await this.#toCable();
    await this.#letGo();
    const failed = closed.find((each) => each.status === "rejected");
    if (failed) throw failed.reason;
  }

  /** A device that cannot be reached any more listens in the network until it is started anew. */
  async #toCable(): Promise<void> {
    const { serial } = this.#link;
    await restartOnCable(this.#link).catch(() => undefined);
    await disconnectDevice(this.#options, serial).catch(() => undefined);
  }

  async #letGo(): Promise<void> {
    this.#link.close();
    await Promise.all([...this.#forwards].map((forward) => forward.close()));
    this.#forwards.clear();
  }
}
