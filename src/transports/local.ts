import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { cpus, hostname, machine, release, type as systemName } from "node:os";
import { z } from "zod";
import type { HostNs } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Finished, Forward, Identity, RunOptions, Transport, TransportKind } from "../model/transport.ts";
import { ProcessChannel } from "./process-channel.ts";
import { finish } from "./run-command.ts";

/** Where Linux tells one boot from another. */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

const Options = z.strictObject({
  folder: z.string().min(1).optional().describe("Where commands start; by default where joulebench was started"),
  environment: z.record(z.string(), z.string()).optional().describe("Variables added to joulebench's own environment"),
});

/** The device under test is the machine joulebench runs on: a command is a child process. */
export const local: TransportKind = {
  kind: "local",
  summary: "a process on this machine",
  options: Options,
  open: async (options, now) => new LocalTransport(Options.strip().parse(options), now),
};

class LocalTransport implements Transport {
  readonly #options: z.infer<typeof Options>;
  readonly #now: () => HostNs;
  readonly #channels = new Set<Channel>();

  constructor(options: z.infer<typeof Options>, now: () => HostNs) {
    this.#options = options;
    this.#now = now;
  }

  async open(argv: readonly string[]): Promise<Channel> {
    const [command, ...rest] = argv;
    if (!command) throw new JoulebenchError("config", "local", "no command given");
    const channel = new ProcessChannel(await this.#start(command, rest), command, this.#now, { leads: true });
    this.#channels.add(channel);
    channel.exit.finally(() => this.#channels.delete(channel));
    return channel;
  }

  async run(argv: readonly string[], options?: RunOptions): Promise<Finished> {
    return finish(await this.open(argv), argv[0] ?? "", options);
  }

  push(local: string, remote: string): Promise<void> {
    return copy(local, remote);
  }

  pull(remote: string, local: string): Promise<void> {
    return copy(remote, local);
  }

  async forward(port: number): Promise<Forward> {
    return { host: "127.0.0.1", port, close: async () => {} };
  }

  async identity(): Promise<Identity> {
    const boot_id = await readFile(BOOT_ID, "utf8").catch(() => undefined); // Linux only.
    return {
      transport: "local",
      serial: hostname(),
      system: `${systemName()} ${release()}`,
      machine: machine(),
      cpu: cpus()[0]?.model ?? "unknown",
      ...(boot_id === undefined ? {} : { boot_id: boot_id.trim() }),
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#channels].map((channel) => channel.close()));
  }

  async #start(command: string, rest: readonly string[]): Promise<ReturnType<typeof spawnPiped>> {
    const { folder, environment } = this.#options;
    try {
      const child = spawnPiped(command, rest, { cwd: folder, env: { ...process.env, ...environment } });
      await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
      return child;
    } catch (error) {
      throw startFailure(error as NodeJS.ErrnoException, command, folder);
    }
  }
}

/** Each leads a process group of its own, as commands on other devices do: it is ended with all it started, and by us alone. */
const spawnPiped = (command: string, rest: readonly string[], options: { cwd: string | undefined; env: NodeJS.ProcessEnv }) =>
  spawn(command, rest, { ...options, shell: false, detached: true, stdio: ["pipe", "pipe", "pipe"] });

function startFailure(error: NodeJS.ErrnoException, command: string, folder: string | undefined): JoulebenchError {
  const because = (kind: "config" | "link", message: string) => new JoulebenchError(kind, command, message, { cause: error });
  // The system says ENOENT for a missing folder, too.
  if (folder !== undefined && !existsSync(folder)) return because("config", `cannot start: there is no folder ${folder}`);
  if (error.code === "ENOENT") return because("config", "command not found; install it or give its full path");
  if (error.code === "EACCES") return because("config", "not executable; check its permissions");
  if (error.code === "ERR_INVALID_ARG_VALUE") return because("config", "an argument holds a NUL byte");
  return because("link", `cannot start: ${error.message}`);
}

async function copy(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    throw new JoulebenchError("config", "local", `cannot copy ${from} to ${to}: ${(error as Error).message}`, { cause: error });
  }
}
