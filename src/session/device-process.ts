import { JoulebenchError } from "../model/errors.ts";
import type { HostClock } from "../model/port.ts";
import type { Channel, Transport } from "../model/transport.ts";
import { DurableChannel, type ShellTransport } from "../transports/durable-channel.ts";
import { ReopenedChannel } from "../transports/reopened-channel.ts";
import { DEVICE } from "./device-decoder.ts";
import type { Recorder } from "./recorder.ts";

/** Lines of standard error quoted in a message, and how long the last of them may take after the exit. */
const QUOTED_LINES = 5;
const LAST_WORDS_MS = 200;

/** A workload that speaks the device protocol, in a process of its own: everything said and heard goes on the tape. */
export class DeviceProcess {
  /** Exit code; null for a signal, and for a process that was lost with its device. */
  readonly exit: Promise<number | null>;
  /** Ends when there are no more lines; what a transport could not keep up with is its error. */
  readonly heard: Promise<void>;
  readonly #channel: Channel;
  readonly #recorder: Recorder;
  readonly #now: HostClock;
  readonly #told: () => void;
  #isGone = false;
  #isStarted = false;
  #hasClosed = false;

  constructor(channel: Channel, { recorder, now, heard }: Pick<Hearing, "recorder" | "now" | "heard">) {
    this.#channel = channel;
    this.#recorder = recorder;
    this.#now = now;
    this.#told = heard;
    this.exit = channel.exit.finally(() => {
      this.#isGone = true;
    });
    this.exit.catch(() => undefined); // Whoever waits for it is told; nobody may be.
    this.heard = this.#hear();
  }

  /** The process has ended. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Where the device keeps what outlives a lost link. */
  get folder(): string | undefined {
    return this.#channel instanceof DurableChannel ? this.#channel.folder : undefined;
  }

  /** It was told to start. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Tells the workload to begin. @throws JoulebenchError `link` when the channel is gone */
  async start(): Promise<void> {
    this.#isStarted = true;
    await this.send("start");
  }

  /** The same from the device itself, `delay_s` from now. @throws JoulebenchError `config` when it could not outlive the link; `link` */
  async startLater(delay_s: number): Promise<void> {
    if (!(this.#channel instanceof DurableChannel))
      throw new JoulebenchError("config", "device", "`link: detached` needs a transport with a shell on the device: adb, ssh or openssh");
    this.#isStarted = true;
    const bytes = new TextEncoder().encode("start\n");
    this.#recorder.append({ source: DEVICE, kind: "tx", host_ns: this.#now(), bytes });
    await this.#channel.writeLater("start", delay_s);
  }

  /** Sends one line, stamped before it leaves. @throws JoulebenchError `link` when the channel is gone */
  async send(line: string): Promise<void> {
    this.#recorder.append({ source: DEVICE, kind: "tx", host_ns: this.#now(), bytes: new TextEncoder().encode(`${line}\n`) });
    await this.#channel.write(line);
  }

  /** It goes on over a link that was made anew. @throws JoulebenchError `link` when that is lost, too */
  async resume(hasRebooted: boolean): Promise<void> {
    const channel = this.#channel;
    if (!(channel instanceof DurableChannel || channel instanceof ReopenedChannel)) return;
    const opened = (): void => this.#recorder.state(DEVICE, "open", this.#now(), { resumed: true });
    await channel.resume(opened, hasRebooted);
  }

  /** What it said on standard error before it ended, for messages. */
  async lastWords(): Promise<string> {
    await Promise.race([this.heard, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))]);
    const lines = this.#channel
      .complaint()
      .split("\n")
      .map((line) => line.trim());
    const said = lines.filter(Boolean).slice(-QUOTED_LINES).join(" / ");
    return said ? `; its standard error ends: ${said}` : " and wrote nothing to standard error";
  }

  async close(): Promise<void> {
    if (this.#hasClosed) return;
    this.#hasClosed = true;
    await this.#channel.close();
    await this.heard;
    this.#recorder.state(DEVICE, "close", this.#now(), { exit: await this.exit.catch(() => null) });
  }

  async #hear(): Promise<void> {
    for await (const { text, host_ns } of this.#channel.lines) {
      this.#told();
      this.#recorder.append({ source: DEVICE, kind: "rx", host_ns, bytes: new TextEncoder().encode(`${text}\n`) });
    }
  }
}

/** A transport whose link can be lost while commands run on: theirs outlive it. */
export const outlives = (transport: Transport): transport is ShellTransport =>
  transport.reconnect !== undefined && transport.run !== undefined;

/** Where a process's words go, and who is told of them. */
export interface Hearing {
  readonly recorder: Recorder;
  readonly now: HostClock;
  /** Something came. */
  readonly heard: () => void;
  /** The link is gone: `resume` is waited for. */
  readonly lost: (reason: string) => void;
  /** What the tape is to say of the command. */
  readonly shown?: readonly string[];
}

/** Starts a workload, where it waits for `start`. @throws JoulebenchError `config` or `link` */
export async function startProcess(transport: Transport, argv: readonly string[], hearing: Hearing): Promise<DeviceProcess> {
  const { recorder, now, lost, shown = argv } = hearing;
  const channel = await openChannel(transport, argv, lost);
  recorder.state(DEVICE, "open", now(), { argv: shown });
  return new DeviceProcess(channel, hearing);
}

/** A channel as lasting as the transport allows. */
function openChannel(transport: Transport, argv: readonly string[], lost: (reason: string) => void): Promise<Channel> {
  if (outlives(transport)) return DurableChannel.start(transport, argv);
  return transport.reconnect ? ReopenedChannel.open(transport, argv, lost) : transport.open(argv);
}
