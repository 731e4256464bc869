import { JoulebenchError } from "../model/errors.ts";
import type { HostClock } from "../model/port.ts";
import type { Channel, Line, Transport } from "../model/transport.ts";
import { pulseProgram } from "../wire/pulse-programs.ts";
import { parseClock, RESPONDERS } from "../wire/responder.ts";
import { RESPONDER } from "./device-decoder.ts";
import type { Recorder } from "./recorder.ts";

/** A responder has this long to say which clock it reads: Python may have to be loaded from a slow card. */
const HELLO_MS = 10_000;

/** The resident loop on the device that answers pings: everything said and heard goes on the tape. */
export class Responder {
  /** Makes load pulses on the same clock; undefined where that cannot be done. */
  readonly pulses: readonly string[] | undefined;
  /** It can read several clocks together. */
  readonly ties: boolean;
  /** Resolves when it has ended, with the reason where the link was lost. */
  readonly ended: Promise<string | undefined>;
  readonly #channel: Channel;
  readonly #recorder: Recorder;
  readonly #now: HostClock;

  /** @param hello its first line, which is recorded here with the rest */
  constructor(channel: Channel, hello: Line, { recorder, now, heard, argv }: Listening & { readonly argv: readonly string[] }) {
    this.#channel = channel;
    this.#recorder = recorder;
    this.#now = now;
    const clock = parseClock(hello.text);
    this.ties = (clock?.ties.length ?? 0) > 1;
    this.pulses = clock && pulseProgram(clock.method, argv.slice(0, argv.indexOf("-c")));
    this.#keep(hello);
    this.ended = this.#hear(heard);
  }

  /** @throws JoulebenchError `link` when the channel is gone */
  async send(line: string): Promise<void> {
    this.#recorder.append({ source: RESPONDER, kind: "tx", host_ns: this.#now(), bytes: new TextEncoder().encode(`${line}\n`) });
    await this.#channel.write(line);
  }

  async close(): Promise<void> {
    await this.#channel.close();
    await this.ended;
  }

  async #hear(heard: () => void): Promise<string | undefined> {
    for await (const line of this.#channel.lines) {
      heard();
      this.#keep(line);
    }
    return this.#channel.exit.then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  }

  #keep({ text, host_ns }: Line): void {
    this.#recorder.append({ source: RESPONDER, kind: "rx", host_ns, bytes: new TextEncoder().encode(`${text}\n`) });
  }
}

/** Where a responder's words go, and who is told of each that something came. */
export interface Listening {
  readonly recorder: Recorder;
  readonly now: HostClock;
  readonly heard: () => void;
}

/**
 * Starts the best responder the device can run.
 *
 * @param bootId by which the tape tells a clock that went on from one that began anew
 * @throws JoulebenchError `config` when it can run none; `link` when it is lost meanwhile
 */
export async function openResponder(transport: Transport, bootId: string | undefined, listening: Listening): Promise<Responder> {
  const refusals: string[] = [];
  for (const { method, argv } of RESPONDERS) {
    const channel = await attempt(() => transport.open(argv));
    const hello = channel && (await firstLine(channel));
    if (channel && hello && parseClock(hello.text)) {
      listening.recorder.state(RESPONDER, "open", listening.now(), { method, ...(bootId === undefined ? {} : { boot_id: bootId }) });
      return new Responder(channel, hello, { ...listening, argv });
    }
    refusals.push(`${argv[0]} (${channel?.complaint().split("\n").at(-1) || hello?.text.slice(0, 80) || "says nothing"})`);
    await channel?.close().catch(() => undefined);
  }
  throw new JoulebenchError(
    "config",
    "device",
    `has nothing that tells its time: tried ${refusals.join(", ")}; install python3 or busybox on it`,
  );
}

/** A command that is not there is tried in vain; a lost link is an error. */
async function attempt(open: () => Promise<Channel>): Promise<Channel | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof JoulebenchError && error.kind === "config") return undefined;
    throw error;
  }
}

/** @throws JoulebenchError `link` when the link is lost before */
async function firstLine(channel: Channel): Promise<Line | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, HELLO_MS, undefined);
  });
  const first = (async () => {
    for await (const line of channel.lines) return line;
    await channel.exit;
    return undefined;
  })();
  first.catch(() => undefined);
  return Promise.race([first, late]).finally(() => clearTimeout(timer));
}
