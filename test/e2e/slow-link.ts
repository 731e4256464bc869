import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("./slow-link-main.js", import.meta.url));

/** What a byte takes on either way, from the least to the most, ms. */
export interface Delays {
  readonly there_ms?: readonly [number, number];
  readonly back_ms?: readonly [number, number];
}

/** A stretch of network to a port of this machine, in a process of its own: it is slow, and can be down. */
export class SlowLink {
  readonly port: number;
  readonly pid: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.pid = process.pid!;
    this.port = port;
  }

  static async start(to: number, { there_ms = [0, 0], back_ms = [0, 0] }: Delays = {}): Promise<SlowLink> {
    const argv = [MAIN, `--to=${to}`, `--there-ms=${there_ms.join(":")}`, `--back-ms=${back_ms.join(":")}`];
    const relay = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
    process.once("exit", () => relay.kill("SIGKILL"));
    const [said] = (await once(relay.stdout, "data")) as [Buffer];
    return new SlowLink(relay, Number(said.toString()));
  }

  /** Nothing comes through, and nobody is told. */
  down(): void {
    this.#process.kill("SIGUSR2");
  }

  up(): void {
    this.#process.kill("SIGHUP");
  }

  async stop(): Promise<void> {
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }
}
