import { fileURLToPath } from "node:url";
import { JoulebenchError } from "../model/errors.ts";
import type { HostClock } from "../model/port.ts";
import type { Channel, Transport } from "../model/transport.ts";
import type { Rig } from "../rig/rig.ts";
import { transports } from "../transports/index.ts";
import { pingLine } from "../wire/ping.ts";
import { DEVICE } from "./device-decoder.ts";
import type { Recorder } from "./recorder.ts";

/** A burst ends after this many pings in a row without an answer: the device does not know them, or is gone. */
const MOST_UNANSWERED = 8;
/** Lines of standard error quoted in a message, and how long the last of them may take after the exit. */
const QUOTED_LINES = 5;
const LAST_WORDS_MS = 200;

/** A ping without an answer after this long is given up; the tape counts it. */
const PING_TIMEOUT_MS = 250;

/** What emulated sources share. */
export interface Emulation {
  /** Session zero on the host's monotonic clock, where the emulated device's clock shows its offset. */
  readonly zero_ns: bigint;
  /** Where the emulated phone says when its workload begins, and the emulated supply reads it. */
  readonly startFile: string;
}

/** The workload's command on the device. */
function commandOf(rig: Rig, { zero_ns, startFile }: Emulation): readonly string[] {
  if (rig.device?.command) return rig.device.command;
  const program = fileURLToPath(new URL("../simulate/phone-main.js", import.meta.url));
  const { seed, clock_offset_s, clock_ppm } = rig.simulate;
  const clock = [`--offset-s=${clock_offset_s}`, `--ppm=${clock_ppm}`, `--zero-ns=${zero_ns}`];
  return [process.execPath, program, `--seed=${seed}`, ...clock, `--start-file=${startFile}`];
}

/** The open channel to the device: everything said and heard on it goes on the tape. */
export class DeviceLink {
  readonly exit: Promise<number | null>;
  /** Ends when the channel has no more lines; what a transport could not keep up with is its error. */
  readonly heard: Promise<void>;
  readonly #transport: Transport;
  readonly #channel: Channel;
  readonly #recorder: Recorder;
  readonly #now: HostClock;
  readonly #answered = new Map<number, (isAnswered: boolean) => void>();
  #pings = 0;
  #burst: Promise<void> = Promise.resolve();
  #isClosed = false;
  #isGone = false;
  #isStarted = false;
  #hasAnswered = false;

  constructor(transport: Transport, channel: Channel, recorder: Recorder, now: HostClock) {
    this.#transport = transport;
    this.#channel = channel;
    this.#recorder = recorder;
    this.#now = now;
    this.exit = channel.exit;
    this.heard = this.#hear();
    this.exit.then(() => {
      this.#isGone = true;
      for (const settle of this.#answered.values()) settle(false);
    });
  }

  /** Tells that ping `id` was answered, so that the next one goes out. */
  answered(id: number): void {
    this.#hasAnswered = true;
    this.#answered.get(id)?.(true);
  }

  /** The process on the device has ended. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** The workload was told to start. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** It has answered a ping: it tells one line from another. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Pings until the first answer. @returns false when there was none within `limit_ms` */
  async greet(limit_ms: number): Promise<boolean> {
    const until_ns = this.#now() + limit_ms * 1e6;
    while (!this.#isClosed && !this.#isGone && this.#now() < until_ns) if (await this.#pingOnce()) return true;
    return false;
  }

  /** Sends `count` pings, each after the answer to the one before; bursts follow one another. */
  ping(count: number): Promise<void> {
    this.#burst = this.#burst.then(async () => {
      let unanswered = 0;
      for (let i = 0; i < count && unanswered < MOST_UNANSWERED && !this.#isClosed && !this.#isGone; i++)
        unanswered = (await this.#pingOnce()) ? 0 : unanswered + 1;
    });
    return this.#burst;
  }

  /** Tells the workload to begin. @throws JoulebenchError `link` when the channel is gone */
  async start(): Promise<void> {
    this.#isStarted = true;
    await this.send("start");
  }

  /** Sends one line, stamped before it leaves. @throws JoulebenchError `link` when the channel is gone */
  async send(line: string): Promise<void> {
    this.#recorder.append({ source: DEVICE, kind: "tx", host_ns: this.#now(), bytes: new TextEncoder().encode(`${line}\n`) });
    await this.#channel.write(line);
  }

  /** What the workload said on standard error before it ended, for messages. */
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
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#channel.close();
    await this.heard;
    await this.#transport.close();
    this.#recorder.state(DEVICE, "close", this.#now(), { exit: await this.exit });
  }

  /** @returns whether it was answered in time */
  async #pingOnce(): Promise<boolean> {
    const id = this.#pings++;
    const answer = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), PING_TIMEOUT_MS);
      this.#answered.set(id, (isAnswered) => {
        clearTimeout(timer);
        resolve(isAnswered);
      });
    });
    // A channel that is gone shows in `exit`; the ping is on the tape as one without an answer.
    await this.send(pingLine(id)).catch(() => undefined);
    const isAnswered = await answer;
    this.#answered.delete(id);
    return isAnswered;
  }

  async #hear(): Promise<void> {
    for await (const { text, host_ns } of this.#channel.lines)
      this.#recorder.append({ source: DEVICE, kind: "rx", host_ns, bytes: new TextEncoder().encode(`${text}\n`) });
  }
}

/** Starts the rig's workload on its device, where it waits for `start`. @throws JoulebenchError `config` or `link` */
export async function openDevice(rig: Rig, emulation: Emulation, recorder: Recorder, now: HostClock): Promise<DeviceLink> {
  const { transport: wanted } = rig.device!;
  const kind = transports.find((each) => each.kind === wanted.kind);
  if (!kind) throw new JoulebenchError("config", rig.name, `unknown transport ${wanted.kind}`);
  const transport = await kind.open(wanted, now);
  const argv = commandOf(rig, emulation);
  const channel = await transport.open(argv);
  recorder.state(DEVICE, "open", now(), { argv: rig.device!.command ?? ["emulated", "phone"] });
  return new DeviceLink(transport, channel, recorder, now);
}
