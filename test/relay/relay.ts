import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("./relay.c", import.meta.url));

export interface Delays {
  /** From who connects to `to`, on the mean. */
  readonly there_s: number;
  /** And back. */
  readonly back_s: number;
  /** Each packet is early or late by up to this, uniformly; the order of each direction stays. */
  readonly jitter_s?: number;
}

export interface RelayOptions extends Delays {
  /** The port of 127.0.0.1 that it leads to. */
  readonly to: number;
  readonly seed?: number;
}

/** How much later than due packets left, since last asked. */
export interface Lateness {
  readonly count: number;
  readonly p50_s: number;
  readonly p99_s: number;
  readonly max_s: number;
}

/** A way to a port of this machine with the delays of a network: a process of its own, so that nothing else delays it. */
export interface Relay {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly pid: number;
  /** Delays of what comes from now on. */
  set(delays: Delays): Promise<void>;
  /** Keeps connections and lets nothing through, as a network that is down; nothing is lost for good. */
  silence(): Promise<void>;
  /** Resets all connections, and refuses new ones. */
  cut(): Promise<void>;
  /** Ends {@link silence} and {@link cut}. */
  resume(): Promise<void>;
  lateness(): Promise<Lateness>;
  stop(): Promise<void>;
}

/** Compiles and starts one. It ends with this process, whatever happens. */
export async function startRelay({ to, seed = 1, ...delays }: RelayOptions): Promise<Relay> {
  const folder = mkdtempSync(join(tmpdir(), "joulebench-relay-"));
  execFileSync("gcc", ["-O2", "-Wall", "-Wextra", "-Werror", "-o", join(folder, "relay"), SOURCE]);
  const child = spawn(join(folder, "relay"), [String(to), ...delaysOf(delays), String(seed)], { stdio: ["pipe", "pipe", "inherit"] });
  const gone = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done) throw new Error("the relay has ended");
    return line.value;
  };
  const ask = (command: string): Promise<string> => {
    child.stdin.write(`${command}\n`);
    return next();
  };
  const tell = async (command: string): Promise<void> => {
    const said = await ask(command);
    if (said !== "ok") throw new Error(`the relay says ${said} to ${command}`);
  };
  return {
    host: "127.0.0.1",
    port: Number(await next()),
    pid: child.pid!,
    set: (changed) => tell(`set ${delaysOf(changed).join(" ")}`),
    silence: () => tell("silence"),
    cut: () => tell("cut"),
    resume: () => tell("resume"),
    async lateness() {
      const [count, p50, p99, max] = (await ask("lateness")).split(" ").map(Number) as [number, number, number, number];
      return { count, p50_s: p50 / 1e9, p99_s: p99 / 1e9, max_s: max / 1e9 };
    },
    async stop() {
      child.stdin.end();
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const delaysOf = ({ there_s, back_s, jitter_s = 0 }: Delays): string[] => [there_s, back_s, jitter_s].map(String);
