import { JoulebenchError } from "../model/errors.ts";
import type { Channel } from "../model/transport.ts";
import type { Interference } from "../rig/conditions.ts";
import { DurableChannel } from "../transports/durable-channel.ts";
import type { Bench } from "./bench.ts";
import type { DeviceLink } from "./device-link.ts";
import { outlives } from "./device-process.ts";
import { howEnded } from "./waiting.ts";

/** Under which its beginning and its end stand on the tape. */
const INTERFERENCE = "interference";

/**
 * A program that runs on the device beside the measured work. One that ends by itself ends the session: what was
 * measured then is not what the plan says.
 */
export class SecondLoad {
  readonly #bench: Bench;
  readonly #channel: Channel;
  #isOver = false;

  /** @throws JoulebenchError `config` when it cannot be started, `link` when the device is lost */
  static async start(bench: Bench, device: DeviceLink, { argv }: Interference): Promise<SecondLoad> {
    const channel = await open(device, argv);
    bench.recorder.state(INTERFERENCE, "open", bench.now(), { argv });
    return new SecondLoad(bench, channel);
  }

  private constructor(bench: Bench, channel: Channel) {
    this.#bench = bench;
    this.#channel = channel;
    this.#drain().catch(() => undefined); // A lost link shows in its end.
    channel.exit.then(
      (code) => this.#gone(`${howEnded(code)}${said(channel)}`),
      (error: unknown) => {
        if (!this.#isOver) bench.fail(error);
      },
    );
  }

  /** Ends it and waits until it is gone. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#channel.close();
    this.#bench.recorder.state(INTERFERENCE, "close", this.#bench.now(), {});
  }

  /** What it prints is nobody's: it is read so that it never waits for a reader. */
  async #drain(): Promise<void> {
    for await (const _ of this.#channel.lines);
  }

  #gone(how: string): void {
    if (this.#isOver) return;
    this.#bench.fail(
      new JoulebenchError("config", "interference", `${how} before the work was done; it must run until it is ended, as a loop does`),
    );
  }
}

/** What it prints is nobody's: kept on the device, a loop that prints would fill it. */
const QUIET = 'exec "$@" >/dev/null';

/** Where the link can be lost meanwhile, the load goes on without it, and is heard and ended when it is back. */
async function open(device: DeviceLink, argv: readonly string[]): Promise<Channel> {
  if (!outlives(device.transport)) return device.transport.open(argv);
  const channel = await DurableChannel.start(device.transport, ["sh", "-c", QUIET, "sh", ...argv]);
  device.sustain(channel);
  return channel;
}

const said = (channel: Channel): string => {
  const complaint = channel.complaint().trim().split("\n").at(-1);
  return complaint ? ` (${complaint})` : "";
};
