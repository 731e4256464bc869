import { fileURLToPath } from "node:url";
import { Observable, retry, throwError, timer } from "rxjs";
import { JoulebenchError } from "../model/errors.ts";
import type { HostClock, Port } from "../model/port.ts";
import { openPort, type PortSpec } from "../ports/index.ts";
import type { Rig, RigInstrument } from "../rig/rig.ts";
import { CLOSED } from "./instrument-decoder.ts";
import type { Recorder } from "./recorder.ts";

/** First and longest wait before a lost port is opened again. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

/** How an instrument of the rig is reached. @param startFile by which the emulated phone tells when its workload begins */
export function portOf(rig: Rig, { port, baud, emulated }: RigInstrument, startFile: string): PortSpec {
  if (port !== undefined && emulated === undefined) return { kind: "serial", path: port, baud };
  const program = fileURLToPath(new URL("../simulate/bridge-main.js", import.meta.url));
  const { seed, bridge_ppm, shunt_ohm, load_w, load_file } = rig.simulate;
  const truth = [`--seed=${seed}`, `--clock-skew-ppm=${bridge_ppm}`, `--shunt-ohm=${shunt_ohm}`];
  const load = load_w === undefined ? `--start-file=${startFile}` : `--load-w=${load_w}`;
  const announced = load_file === undefined ? [] : [`--load-file=${load_file}`];
  const argv = [process.execPath, program, ...truth, load, ...announced];
  return { kind: "process", argv };
}

/**
 * One instrument's port: records what arrives, and opens the port again when the link is lost.
 *
 * `bytes$` emits nothing; it ends with an error for everything that opening again cannot mend. It is not
 * `from(asyncIterable)`: in RxJS 7.8 that leaves a silent port open when the session ends.
 */
export class RecordedPort {
  readonly bytes$: Observable<never>;
  readonly #source: string;
  readonly #spec: PortSpec;
  readonly #recorder: Recorder;
  readonly #now: HostClock;
  #port: Port | undefined;
  #fail: (error: JoulebenchError) => void = () => {};
  #opened = 0;
  #isTrusted = false;
  #failures = 0;

  constructor(source: string, spec: PortSpec, recorder: Recorder, now: HostClock) {
    this.#source = source;
    this.#spec = spec;
    this.#recorder = recorder;
    this.#now = now;
    this.bytes$ = new Observable<never>((out) => {
      this.#fail = (error) => out.error(error);
      const opening = openPort(spec, now);
      this.#pump(opening).then(
        () => out.complete(),
        (error: unknown) => out.error(error),
      );
      return () =>
        void opening.then(
          (port) => port.close(),
          () => undefined,
        );
    }).pipe(retry({ delay: (error: unknown) => this.#mend(error) }));
  }

  /** Sends bytes and puts them on the tape. A lost port shows in `bytes$`, not here. */
  write(bytes: Uint8Array): void {
    if (!this.#port) return;
    this.#recorder.append({ source: this.#source, kind: "tx", host_ns: this.#now(), bytes });
    this.#port.write(bytes).catch((error: unknown) => {
      if (error instanceof JoulebenchError) this.#fail(error);
    });
  }

  /** The instrument has delivered: from now on a lost link is opened again, and the waiting begins anew. */
  trust(): void {
    this.#isTrusted = true;
    this.#failures = 0;
  }

  /** The driver says that what arrives is of no more use: the port is opened anew, or given up. */
  giveUp(error: JoulebenchError): void {
    this.#fail(error);
  }

  async #pump(opening: Promise<Port>): Promise<void> {
    const port = await opening;
    this.#port = port;
    this.#recorder.state(this.#source, "open", this.#now(), { ...this.#spec, opened: this.#opened++ });
    let reason: string = CLOSED;
    try {
      for await (const { bytes, host_ns } of port) {
        if (this.#port !== port) return;
        this.#recorder.append({ source: this.#source, kind: "rx", host_ns, bytes });
      }
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      if (this.#port === port) {
        this.#port = undefined;
        this.#recorder.state(this.#source, "close", this.#now(), { reason });
      }
    }
  }

  #mend(error: unknown): Observable<unknown> {
    if (!this.#isTrusted || !(error instanceof JoulebenchError) || error.kind !== "link") return throwError(() => error);
    return timer(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 8)));
  }
}
