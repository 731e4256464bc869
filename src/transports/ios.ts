import { z } from "zod";
import type { HostNs } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Forward, Identity, Transport, TransportKind } from "../model/transport.ts";
import { attachedPhones } from "./ios-devices.ts";
import { type Hello, readHello } from "./ios-hello.ts";
import { PhoneProxy } from "./ios-proxy.ts";
import { SocketChannel } from "./socket-channel.ts";

const Options = z.strictObject({
  port: z.int().min(1).max(65_535).describe("The port on which the app listens on the phone"),
  udid: z.string().min(1).optional().describe("Which phone, where several are plugged in"),
  iproxy: z.string().min(1).default("iproxy").describe("Name or path of iproxy"),
});

/** The device under test is an iPhone on USB, and an app on it that listens on a port: nothing else can be run there. */
export const ios: TransportKind = {
  kind: "ios",
  summary: "an app on an iPhone, through usbmuxd",
  options: Options,
  open: async (options, now) => {
    const transport = new IosTransport(Options.strip().parse(options), now);
    await transport.reconnect();
    return transport;
  },
};

class IosTransport implements Transport {
  readonly #options: z.infer<typeof Options>;
  readonly #now: () => HostNs;
  readonly #open = new Set<{ close(): Promise<void> }>();
  #udid = "";
  /** Serves the app's port; none after close. */
  #proxy: PhoneProxy | undefined;

  constructor(options: z.infer<typeof Options>, now: () => HostNs) {
    this.#options = options;
    this.#now = now;
  }

  async open(argv: readonly string[]): Promise<Channel> {
    if (argv.length > 0) {
      const advice = "start the app by hand and write `command: []`";
      throw new JoulebenchError("config", "ios", `no program can be started on an iPhone (${argv[0]}); ${advice}`);
    }
    return (await this.#greet()).channel;
  }

  async forward(port: number): Promise<Forward> {
    const proxy = await PhoneProxy.start(this.#options.iproxy, { udid: this.#udid, port });
    const entry = { close: () => proxy.stop() };
    this.#open.add(entry);
    (await proxy.connect()).destroy(); // It listens.
    const close = async (): Promise<void> => {
      this.#open.delete(entry);
      await proxy.stop();
    };
    return { host: "127.0.0.1", port: proxy.port, close };
  }

  async identity(): Promise<Identity> {
    const { channel, hello } = await this.#greet();
    await channel.close();
    return { ...hello, transport: "ios", serial: this.#udid };
  }

  async reconnect(): Promise<void> {
    await this.close();
    this.#udid = chosen(await attachedPhones(), this.#options.udid);
    this.#proxy = await PhoneProxy.start(this.#options.iproxy, { udid: this.#udid, port: this.#options.port });
  }

  async close(): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    await Promise.all(open.map((each) => each.close()));
    await this.#proxy?.stop();
    this.#proxy = undefined;
  }

  /** A connection to the app, which has said who it is. */
  async #greet(): Promise<{ readonly channel: Channel; readonly hello: Hello }> {
    const socket = await this.#proxy?.connect();
    if (!socket) throw new JoulebenchError("link", this.#name, "not connected");
    const channel = new SocketChannel(socket, { name: this.#name, reason: () => this.#reason() }, this.#now);
    this.#open.add(channel);
    const forget = (): boolean => this.#open.delete(channel);
    channel.exit.then(forget, forget);
    try {
      return { channel, hello: await readHello(channel, this.#name) };
    } catch (error) {
      await channel.close();
      throw error;
    }
  }

  get #name(): string {
    return `${this.#udid}:${this.#options.port}`;
  }

  /** iproxy hangs up alike whatever happened; that the phone is still there is for usbmuxd to say. */
  async #reason(): Promise<string> {
    const phones = await attachedPhones().catch((error: Error) => error);
    if (phones instanceof Error) return `the connection ended: ${phones.message}`;
    if (!phones.includes(this.#udid)) return "the iPhone was unplugged";
    return "the app hung up, or does not listen: start it, keep it in front and the phone unlocked";
  }
}

/** @throws JoulebenchError `link` when the phone is not there, `config` when it is not clear which is meant */
function chosen(phones: readonly string[], udid: string | undefined): string {
  const [first, ...others] = phones;
  if (first === undefined)
    throw new JoulebenchError("link", "ios", "no iPhone is plugged in, or it does not trust this machine: unlock it and look");
  if (udid === undefined) {
    if (others.length === 0) return first;
    throw new JoulebenchError(
      "config",
      "ios",
      `${phones.length} iPhones are plugged in; name one as device.transport.udid: ${phones.join(", ")}`,
    );
  }
  if (phones.includes(udid)) return udid;
  throw new JoulebenchError("link", "ios", `no iPhone ${udid} is plugged in; there are: ${phones.join(", ")}`);
}
