import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readlink } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./pty.pl", import.meta.url));

/** A device on a pseudo-terminal; see pty.pl for what it can be told. */
export interface Pty {
  readonly path: string;
  tell(command: string): void;
  /** Tells it, and waits for its answer. */
  ask(command: string): Promise<string>;
  /** Ends the device, which closes its side of the terminal. */
  stop(): Promise<void>;
}

export async function startPty(): Promise<Pty> {
  const argv = process.getuid?.() === 0 ? ["perl", SCRIPT] : ["sudo", "-n", "perl", SCRIPT];
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
  const gone = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    if (line.done) throw new Error(`${argv.join(" ")} ended`);
    return line.value;
  };
  const tell = (command: string) => void child.stdin.write(`${command}\n`);
  const ask = (command: string) => {
    tell(command);
    return next();
  };
  const path = await next();
  return {
    path,
    tell,
    ask,
    async stop() {
      child.stdin.end();
      await gone;
    },
  };
}

/** The descriptors this process holds on a device; a hung-up or deleted one still shows its name. */
export async function descriptorsOn(path: string): Promise<number> {
  const fds = await readdir("/proc/self/fd");
  const targets = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
  return targets.filter((target) => target.startsWith(path) && !/\d/.test(target.charAt(path.length))).length;
}

/** What this process uses while nothing should happen: CPU as a fraction of one core, and growth of its memory. */
export async function idleCost(duration_ms: number): Promise<{ cpu: number; growth_bytes: number }> {
  const rss = process.memoryUsage().rss;
  const start = process.cpuUsage();
  const t0 = performance.now();
  await new Promise((resolve) => setTimeout(resolve, duration_ms));
  const { user, system } = process.cpuUsage(start);
  return { cpu: (user + system) / 1000 / (performance.now() - t0), growth_bytes: process.memoryUsage().rss - rss };
}

/** Two serial ports joined by a null-modem cable, at paths of our choice. */
export async function startCable(a: string, b: string): Promise<{ stop(signal: NodeJS.Signals): Promise<void> }> {
  const end = (link: string) => `pty,raw,echo=0,link=${link}`;
  const child = spawn("socat", ["-d", "-d", end(a), end(b)], { stdio: ["ignore", "ignore", "pipe"] });
  const gone = once(child, "exit");
  for await (const line of createInterface({ input: child.stderr })) {
    if (line.includes("starting data transfer")) break;
  }
  child.stderr.resume();
  return {
    async stop(signal) {
      child.kill(signal);
      await gone;
    },
  };
}
