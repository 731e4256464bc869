import { JoulebenchError } from "../model/errors.ts";
import type { HostClock } from "../model/port.ts";
import type { Identity, Transport } from "../model/transport.ts";
import type { DurableChannel } from "../transports/durable-channel.ts";
import { TIE_LINE } from "../wire/responder.ts";
import { DEVICE, RESPONDER } from "./device-decoder.ts";
import { type DeviceProcess, outlives, startProcess } from "./device-process.ts";
import { DEAD_MS, Heartbeat } from "./heartbeat.ts";
import { Pinger } from "./pinger.ts";
import type { Recorder } from "./recorder.ts";
import { openResponder, type Responder } from "./responder.ts";

/** First and longest wait before a lost link is tried again: it is to be back soon after it can be. */
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 2000;
/** Clock pings as soon as it is back. */
const REOPENED_PINGS = 16;

/** What a link tells its session. */
export interface LinkWatcher {
  readonly recorder: Recorder;
  readonly now: HostClock;
  /** How long a lost link is waited for. */
  readonly patience_s: number;
  /** Nothing that this link could mend. */
  readonly failed: (error: unknown) => void;
}

/**
 * The link to the device under test: who is there, what its clock says, and the workload's process.
 *
 * Its life is watched by a heartbeat of our own, because neither adb nor ssh notices a dead link. A lost one is made
 * anew: the device must be the same one; after a reboot its clock is another. Everything stands on the tape.
 */
export class DeviceLink {
  readonly transport: Transport;
  readonly identity: Identity;
  readonly #watcher: LinkWatcher;
  #pinger: Pinger;
  #responder: Responder | undefined;
  #heartbeat: Heartbeat | undefined;
  #process: DeviceProcess | undefined;
  readonly #sustained: DurableChannel[] = [];
  #bootId: string | undefined;
  #mending: Promise<void> | undefined;
  #isClosed = false;

  constructor(transport: Transport, identity: Identity, watcher: LinkWatcher) {
    this.transport = transport;
    this.identity = identity;
    this.#watcher = watcher;
    this.#bootId = identity.boot_id;
    this.#pinger = new Pinger((line) => this.#ask(line), watcher.now);
    watcher.recorder.state(DEVICE, "control", watcher.now(), { identity });
  }

  /** The workload's process, once it is started. */
  get process(): DeviceProcess | undefined {
    return this.#process;
  }

  /** Somebody answers pings. */
  get hasAnswered(): boolean {
    return this.#pinger.hasAnswered;
  }

  /** A program that makes load pulses on the clock of the pongs, where the workload makes none. */
  get pulses(): readonly string[] | undefined {
    return this.#responder?.pulses;
  }

  /** The link is lost and not back yet. */
  get isLost(): boolean {
    return this.#mending !== undefined;
  }

  /** Tells that ping `id` was answered, so that the next one goes out. */
  answered(id: number): void {
    this.#pinger.answered(id);
  }

  greet(limit_ms: number): Promise<boolean> {
    return this.#pinger.greet(limit_ms);
  }

  /** Sends `count` pings, or as many as are answered within `most_ms`, each after the answer to the one before; bursts follow one another. */
  ping(count: number, most_ms?: number): Promise<void> {
    return this.#pinger.burst(count, most_ms);
  }

  /** Reads the device's clocks together, where a responder can: events may be stamped by any of them. */
  async tie(): Promise<void> {
    if (this.#responder?.ties) await this.#responder.send(TIE_LINE).catch(() => undefined); // A lost link shows in its heartbeat.
  }

  /** Starts the loop that answers pings in place of the workload. @throws JoulebenchError `config` or `link` */
  async openResponder(): Promise<void> {
    const { recorder, now } = this.#watcher;
    const heard = (): void => this.#heartbeat?.heard();
    const responder = await openResponder(this.transport, this.#bootId, { recorder, now, heard });
    this.#responder = responder;
    if (this.transport.reconnect) this.#watch(responder);
    await this.tie();
  }

  /** Starts the workload's process, where it waits for `start`. @throws JoulebenchError `config` or `link` */
  async startProcess(argv: readonly string[], shown: readonly string[] = argv): Promise<DeviceProcess> {
    const { recorder, now, failed } = this.#watcher;
    const heard = (): void => (this.#responder ? undefined : this.#heartbeat?.heard());
    const lost = (reason: string): void => this.#lost(reason);
    const process = await startProcess(this.transport, argv, { recorder, now, shown, heard, lost });
    this.#process = process;
    if (this.transport.reconnect && !this.#responder) this.#beat();
    process.heard.catch(failed);
    const gone = (): void => {
      if (!this.#responder) this.#pinger.isGone(true);
    };
    process.exit.then(gone, gone);
    return process;
  }

  /** Has a channel beside the workload's go on whenever the link is made anew. */
  sustain(channel: DurableChannel): void {
    this.#sustained.push(channel);
  }

  /** Resolves when the link is there; at once when it is not lost. */
  async whole(): Promise<void> {
    while (this.#mending) await this.#mending;
  }

  /** Lets the link go on purpose: nobody listens, nobody asks, until `attach`. */
  async detach(): Promise<void> {
    const { recorder, now } = this.#watcher;
    this.#heartbeat?.stop();
    this.#pinger.isGone(true);
    const responder = this.#responder;
    this.#responder = undefined;
    await responder?.close();
    recorder.state(RESPONDER, "close", now(), { detached: true });
  }

  /** Waits until the device is back, and goes on where the link was let go. @throws JoulebenchError as for a lost link */
  async attach(): Promise<void> {
    await this.#beginMending("the link was let go");
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#heartbeat?.stop();
    this.#pinger.isGone(true);
    await this.#mending; // It opens what would be left open otherwise.
    await this.#process?.close();
    if (this.#responder) {
      await this.#responder.close().catch(() => undefined); // Lost as it may be, it is let go of.
      this.#watcher.recorder.state(RESPONDER, "close", this.#watcher.now(), {});
    }
    await this.transport.close();
  }

  /** Pings go to the responder, where there is one. */
  async #ask(line: string): Promise<void> {
    if (this.#responder) await this.#responder.send(line);
    else await this.#process?.send(line);
  }

  #watch(responder: Responder): void {
    this.#beat();
    void responder.ended.then((reason) => {
      if (responder === this.#responder) this.#lost(reason ?? "the loop that answers pings ended");
    });
  }

  #beat(): void {
    this.#heartbeat?.stop();
    this.#heartbeat = new Heartbeat(
      (line) => this.#ask(line),
      () => this.#lost(`nothing was heard over it for ${DEAD_MS / 1000} s`),
    );
  }

  #lost(reason: string): void {
    if (this.#isClosed || this.#mending) return;
    const { recorder, now, failed } = this.#watcher;
    this.#heartbeat?.stop();
    this.#pinger.isGone(true);
    recorder.state(this.#responder ? RESPONDER : DEVICE, "close", now(), { lost: reason });
    this.#beginMending(reason).catch(failed);
  }

  /** One at a time: what is lost meanwhile is seen by it, or once it is through. */
  #beginMending(reason: string): Promise<void> {
    const mending = this.#mend(reason)
      .finally(() => {
        this.#mending = undefined;
      })
      .then(() => {
        // Lost again before anybody watched.
        if (this.#heartbeat?.isStopped) this.#lost("it fell silent as soon as it was back");
      });
    this.#mending = mending.catch(() => undefined); // Whoever began it hears of its failure.
    return mending;
  }

  /** Tries until the device is back. @throws JoulebenchError `link` when patience ends; `config` when it is another one, or refuses us */
  async #mend(reason: string): Promise<void> {
    const until_ms = performance.now() + this.#watcher.patience_s * 1000;
    for (let wait_ms = FIRST_RETRY_MS; !this.#isClosed; wait_ms = Math.min(LONGEST_RETRY_MS, 2 * wait_ms)) {
      try {
        return await this.#connect();
      } catch (error) {
        if (!(error instanceof JoulebenchError) || error.kind !== "link") throw error;
        if (performance.now() > until_ms)
          throw new JoulebenchError(
            "link",
            "the device",
            `was lost (${reason}) and did not come back within ${this.#watcher.patience_s} s: ${error.message}; look at its cable or network, or raise plan.link_patience_s${this.#left()}`,
            { cause: error },
          );
      }
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
    }
  }

  /** What a device that does not come back keeps. */
  #left(): string {
    const folder = this.#process?.folder;
    return folder === undefined ? "" : `; the workload may still run there, and what it said is in ${folder}: end it, and remove that`;
  }

  async #resume(hasRebooted: boolean): Promise<void> {
    await this.#process?.resume(hasRebooted);
    for (const channel of this.#sustained) await channel.resume(() => undefined, hasRebooted);
  }

  async #connect(): Promise<void> {
    await this.transport.reconnect!();
    const identity = await this.transport.identity();
    for (const fact of ["serial", "model"])
      if (identity[fact] !== this.identity[fact])
        throw new JoulebenchError(
          "config",
          "the device",
          `another one answers now: ${fact} ${identity[fact]}, where it was ${this.identity[fact]}; what it says is not joined with what was recorded`,
        );
    const hasRebooted = identity.boot_id !== this.#bootId;
    this.#bootId = identity.boot_id;
    this.#pinger.isGone(false);
    // What the boot before has left is of its clock, and stands before the new one's.
    if (hasRebooted) await this.#resume(true);
    if (outlives(this.transport)) await this.openResponder();
    else this.#beat();
    if (!hasRebooted) await this.#resume(false);
    // Nothing that happens now can be placed until the clock is known again, and nobody may ask for long.
    void this.ping(REOPENED_PINGS);
  }
}
