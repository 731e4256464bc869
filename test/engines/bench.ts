import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { engines } from "../../src/engines/index.ts";
import type { Engine, EngineContext, EngineRequest } from "../../src/model/engine.ts";
import type { Transport } from "../../src/model/transport.ts";
import { local } from "../../src/transports/local.ts";
import { writeModel } from "../engine/gguf.ts";

/** A program of test/engine, which runs the real engine. */
export const program = (name: string): string => resolve("test/engine/bin", name);

/** A device that is this machine, a folder of its own, and everything an engine said and heard there. */
export class Bench {
  /** Quotes, spaces and what a shell would run, because every path on the device goes through here. */
  readonly folder = mkdtempSync(join(tmpdir(), `joulebench 'engine' "$(touch hit)" `));
  readonly heard: string[] = [];
  readonly said: Record<string, unknown>[] = [];
  readonly abort = new AbortController();
  readonly transport: Transport;
  readonly context: EngineContext;
  readonly #engines: Engine[] = [];

  private constructor(transport: Transport, now: () => number) {
    this.transport = transport;
    this.context = {
      transport,
      now,
      hear: (text, host_ns) => {
        if (!Number.isInteger(host_ns) || host_ns > now()) throw new Error(`stamp ${host_ns} of ${text}`);
        this.heard.push(text);
      },
      say: (text) => {
        this.said.push(JSON.parse(text));
        return now();
      },
      signal: this.abort.signal,
    };
  }

  static async open(): Promise<Bench> {
    const opened_ns = process.hrtime.bigint();
    const now = (): number => Number(process.hrtime.bigint() - opened_ns);
    return new Bench(await local.open({}, now), now);
  }

  model(shape: Parameters<typeof writeModel>[1] = {}, name = "model.gguf"): string {
    const path = join(this.folder, name);
    writeModel(path, shape);
    return path;
  }

  /** A program of the device, in sh. */
  script(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}`, { mode: 0o755 });
    return path;
  }

  async engine(kind: string, options: object): Promise<Engine> {
    const found = engines.find((engine) => engine.kind === kind);
    if (!found) throw new Error(`no engine ${kind}`);
    const engine = await found.open(found.options.parse(options), this.context);
    this.#engines.push(engine);
    return engine;
  }

  /** JSON lines heard, as far as they are. */
  get events(): Record<string, unknown>[] {
    return this.heard.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
  }

  /** What is still running that was started with this folder in its arguments. */
  processes(): number[] {
    const ours = (pid: string): boolean => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(this.folder);
      } catch {
        return false; // It ended meanwhile.
      }
    };
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && ours(name))
      .map(Number);
  }

  async close(): Promise<void> {
    for (const engine of this.#engines) await engine.close();
    await this.transport.close();
    // What was signalled with the process that led it may take a moment longer.
    const until_ms = performance.now() + 1000;
    while (this.processes().length > 0 && performance.now() < until_ms) await new Promise((resolve) => setTimeout(resolve, 10));
    const left = this.processes();
    for (const pid of left) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true });
    if (left.length > 0) throw new Error(`left running: ${left.join(", ")}`);
  }
}

let asked = 0;
export const request = (fields: Partial<EngineRequest> = {}): EngineRequest => ({ id: `r${++asked}`, limit_s: 15, ...fields });

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
