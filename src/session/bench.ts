import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filter, firstValueFrom, interval, map, merge, type Observable, ReplaySubject, Subscription, throwError, timeout } from "rxjs";
import { JoulebenchError } from "../model/errors.ts";
import type { Rig } from "../rig/rig.ts";
import type { TapeOptions } from "../store/tape-options.ts";
import { TapeWriter } from "../store/tape-writer.ts";
import { Decoder, SESSION } from "./decoder.ts";
import type { DeviceLink } from "./device-link.ts";
import type { Mark, Observation } from "./observation.ts";
import { openDevice, type Purpose } from "./open-device.ts";
import { bootId } from "./owner-lock.ts";
import { portOf, RecordedPort } from "./ports.ts";
import { Recorder } from "./recorder.ts";
import { type Streams, streams, together } from "./streams.ts";

const TICK_MS = 100;
/** What was heard is handed to the kernel twice as often as the contract asks, for a busy host is late. */
const FLUSH_MS = 50;
/** The tape is synced every this many ticks, twice as often as the contract asks; the clocks are read together every that many. */
const SYNC_TICKS = 5;
const CLOCK_TICKS = 100;
/** An instrument that is asked to stop has this long to state its final count. */
const STOP_TIMEOUT_MS = 2000;

/** Every source of a rig, open and recorded on one tape, with the streams that come of it. */
export class Bench {
  readonly streams: Streams;
  readonly now: () => number;
  /** Errors as soon as something happens that ends the session. */
  readonly failure$: Observable<never>;
  readonly #rig: Rig;
  readonly #zero_ns = process.hrtime.bigint();
  readonly #tape: TapeWriter;
  /** The tape's: what is not recorded does not count. */
  readonly recorder: Recorder;
  readonly #decoder: Decoder;
  readonly #ports = new Map<string, RecordedPort>();
  readonly #failures = new ReplaySubject<JoulebenchError>(1);
  readonly #running = new Subscription();
  readonly #scratch = mkdtempSync(join(tmpdir(), "joulebench-"));
  readonly #ready = new Set<string>();
  #device: DeviceLink | undefined;
  #ticks = 0;
  #received = false;
  #begun = false;

  /** A process that is ended at once, as by a second Ctrl-C, still hands over what it has heard. */
  readonly #keepAtExit = (): void => this.#guard(() => this.#tape.flush());

  /** @param tape how its tape is kept; by default it ends the session with the first refusal of the disk */
  constructor(rig: Rig, tapeDir: string, tape: TapeOptions = {}) {
    this.now = () => Number(process.hrtime.bigint() - this.#zero_ns);
    this.#rig = rig;
    this.#tape = new TapeWriter(tapeDir, tape);
    process.once("exit", this.#keepAtExit);
    this.recorder = new Recorder((record) => this.#tape.append(record));
    this.#decoder = new Decoder(rig, (source, bytes) => this.#ports.get(source)?.write(bytes));
    this.streams = streams(this.recorder.records$, this.#decoder, rig);
    this.failure$ = this.#failures.pipe(
      map((error): never => {
        throw error;
      }),
    );
  }

  /** Opens the rig's instruments and waits until each delivers. @throws JoulebenchError of whatever stands in the way */
  async open(): Promise<void> {
    const { observations$ } = this.streams;
    this.#running.add(observations$.subscribe((each) => this.#react(each)));
    this.#running.add(
      this.recorder.records$.subscribe(({ kind }) => {
        this.#received ||= kind === "rx";
      }),
    );
    this.recorder.state(SESSION, "rig", this.now(), this.#rig);
    this.#readClocks();
    this.#running.add(interval(TICK_MS).subscribe(() => this.#tick()));
    this.#running.add(interval(FLUSH_MS).subscribe(() => this.#guard(() => this.#tape.flush())));
    for (const [source, rigged] of Object.entries(this.#rig.instruments))
      this.#ports.set(source, new RecordedPort(source, portOf(this.#rig, rigged, this.#startFile), this.recorder, this.now));
    const ports$ = together([...this.#ports.values()].map((port) => port.bytes$));
    this.#running.add(ports$.subscribe({ error: (error: unknown) => this.fail(error) }));
    const all = (): boolean => [...this.#ports.keys()].every((source) => this.#ready.has(source));
    if (!all()) await this.until((each) => each.type === "ready" && all());
  }

  /**
   * Reaches the device and, where its purpose is that, starts the workload's process there.
   *
   * @throws JoulebenchError `config` or `link`
   */
  async openDevice(purpose: Purpose = "workload"): Promise<DeviceLink> {
    const emulation = { zero_ns: this.#zero_ns, startFile: this.#startFile, purpose };
    const failed = (error: unknown): void => this.fail(error);
    this.#device = await openDevice(this.#rig, emulation, { recorder: this.recorder, now: this.now, failed });
    return this.#device;
  }

  /** Nothing was received from any source. */
  get isSilent(): boolean {
    return !this.#received;
  }

  /** The course of the measurement has begun. */
  get hasBegun(): boolean {
    return this.#begun;
  }

  mark(mark: Mark): void {
    this.#begun = true;
    this.recorder.state(SESSION, "control", this.now(), { mark });
  }

  /** Resolves at the next observation that fits; rejects when the session fails or ends, or with `late` when `ms` pass first. */
  async until(fits: (each: Observation) => boolean, limit?: { ms: number; late: () => JoulebenchError }): Promise<Observation> {
    const found$ = merge(this.streams.observations$.pipe(filter(fits)), this.failure$);
    if (!limit) return firstValueFrom(found$);
    return firstValueFrom(found$.pipe(timeout({ first: limit.ms, with: () => throwError(limit.late) })));
  }

  /** Ends the session: everything that waits for something rejects. */
  fail(error: unknown): void {
    this.#failures.next(
      error instanceof JoulebenchError
        ? error
        : new JoulebenchError("protocol", this.#rig.name, `unexpected: ${error instanceof Error ? error.message : error}`, {
            cause: error,
          }),
    );
  }

  /** Leaves every instrument quiet, closes everything and completes the tape. */
  async close(): Promise<void> {
    await this.#device?.close().catch((error: unknown) => this.fail(error));
    await Promise.all([...this.#ports.keys()].map((source) => this.#stop(source)));
    this.#running.unsubscribe();
    this.recorder.end();
    this.#failures.complete();
    rmSync(this.#scratch, { recursive: true, force: true });
    process.off("exit", this.#keepAtExit);
    await this.#tape.close();
  }

  get #startFile(): string {
    return join(this.#scratch, "start.json");
  }

  async #stop(source: string): Promise<void> {
    const bytes = this.#decoder.stop(source);
    if (!bytes) return;
    const isStopped = (each: Observation): boolean => each.type === "stopped" && each.source === source;
    // Whatever ended the session, the tail of this instrument is still worth having.
    const stopped = firstValueFrom(this.streams.observations$.pipe(filter(isStopped), timeout({ first: STOP_TIMEOUT_MS })));
    this.#ports.get(source)?.write(bytes);
    // An instrument that does not answer leaves its tail uncounted; the missing answer is on the tape.
    await stopped.catch(() => undefined);
  }

  #react(observation: Observation): void {
    if (observation.type === "ready") {
      this.#ready.add(observation.source);
      this.#ports.get(observation.source)?.trust();
    } else if (observation.type === "pong") this.#device?.answered(observation.id);
    else if (observation.type === "failed") {
      if (observation.error.kind === "link" && this.#ready.has(observation.source))
        this.#ports.get(observation.source)?.giveUp(observation.error);
      else this.fail(observation.error);
    }
  }

  #tick(): void {
    this.#guard(() => {
      this.recorder.tick(this.now());
      this.#ticks++;
      if (this.#ticks % CLOCK_TICKS === 0) this.#readClocks();
      this.#tape.flush();
    });
    if (this.#ticks % SYNC_TICKS === 0) this.#tape.sync().catch((error: unknown) => this.fail(error));
  }

  #readClocks(): void {
    const wall_ns = (BigInt(Date.now()) * 1_000_000n).toString();
    this.recorder.state(SESSION, "clock", this.now(), { monotonic_ns: process.hrtime.bigint().toString(), wall_ns, boot: bootId() });
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.fail(error);
    }
  }
}
