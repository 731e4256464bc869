import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../e2e/loopback.ts";
import { commandOf, signal } from "../sshd/processes.ts";

const run = promisify(execFile);
const LIMIT_MS = 15_000;

/** The real adb with a server, a home and keys of its own. */
export class AdbServer {
  readonly port: number;
  readonly home: string;
  /** The adb program: whoever runs it uses this home, and this server unless told otherwise. */
  readonly path: string;
  /** A run that is cut short leaves no server behind. */
  readonly #endWithUs = (): void => {
    const pid = this.pid();
    if (pid !== undefined) signal([pid], "SIGKILL");
  };

  private constructor(port: number, home: string) {
    this.port = port;
    this.home = home;
    this.path = join(home, "adb");
    mkdirSync(join(home, ".android"));
    writeFileSync(this.path, script({ HOME: home, ANDROID_ADB_SERVER_PORT: String(port), ADB_LOCAL_TRANSPORT_MAX_PORT: "5554" }));
    chmodSync(this.path, 0o755);
    process.once("exit", this.#endWithUs);
  }

  /** The server itself starts with the first command. */
  static async create(): Promise<AdbServer> {
    return new AdbServer(await freePort(), mkdtempSync(join(tmpdir(), "joulebench-adb-")));
  }

  /** Runs adb. @returns what it printed */
  async adb(...argv: string[]): Promise<string> {
    const { stdout, stderr } = await run(this.path, argv, { timeout: LIMIT_MS, maxBuffer: 64 << 20 });
    return stdout + stderr;
  }

  /** The server by its process id; undefined when there is none. */
  pid(): number | undefined {
    return readdirSync("/proc")
      .map(Number)
      .filter(Number.isInteger)
      .find((pid) => commandOf(pid).includes(`tcp:${this.port} fork-server server`));
  }

  async kill(): Promise<void> {
    const pid = this.pid();
    if (pid === undefined) return;
    await this.adb("kill-server");
    for (let left = 200; this.pid() === pid && left > 0; left--) await new Promise((resolve) => setTimeout(resolve, 10));
    if (this.pid() === pid) signal([pid], "SIGKILL");
  }

  /** Leaves no server and no file behind. */
  async close(): Promise<void> {
    await this.kill();
    process.off("exit", this.#endWithUs);
    rmSync(this.home, { recursive: true, force: true });
  }
}

const script = (environment: Readonly<Record<string, string>>): string =>
  `#!/bin/sh\n${Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join("")}exec /usr/bin/adb "$@"\n`;
