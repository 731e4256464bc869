import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { InfluxDB } from "influx";

const STARTED = /msg="Listening on HTTP".* addr=127\.0\.0\.1:(\d+)/;

/** A real influxd of this machine with a configuration and files of its own, on loopback. */
export class Influxd {
  #process: ChildProcess;
  readonly #folder: string;
  readonly port: number;

  private constructor(process: ChildProcess, folder: string, port: number) {
    this.#process = process;
    this.#folder = folder;
    this.port = port;
  }

  /** Starts one on a free port, or on `port`. The first user of one with `auth` is `admin`, password `secret`. */
  static async start({ auth = false, port = 0, max_body_bytes = 25_000_000 } = {}): Promise<Influxd> {
    const folder = mkdtempSync(join(tmpdir(), "joulebench-influxd-"));
    writeFileSync(join(folder, "influxd.conf"), configuration(folder, { auth, port, max_body_bytes }));
    const child = launch(folder);
    const influxd = new Influxd(child, folder, await listening(child));
    if (auth) await influxd.client().createUser("admin", "secret", true);
    return influxd;
  }

  /** Ends it as a power cut of the program would. */
  async crash(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }

  /** Starts it again on the same port, with what it had stored. */
  async restart(): Promise<void> {
    const path = join(this.#folder, "influxd.conf");
    writeFileSync(path, readFileSync(path, "utf8").replace(/(\[http\]\s+bind-address = "127\.0\.0\.1:)\d+/, `$1${this.port}`));
    this.#process = launch(this.#folder);
    await listening(this.#process);
  }

  client(user?: { username: string; password: string }): InfluxDB {
    return new InfluxDB({ host: "127.0.0.1", port: this.port, database: "joulebench", ...user });
  }

  /** Keeps its connections and answers nothing, until {@link resume}. */
  pause(): void {
    this.#process.kill("SIGSTOP");
  }

  resume(): void {
    this.#process.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "exit");
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill("SIGKILL");
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function launch(folder: string): ChildProcess {
  const child = spawn("influxd", ["run", "-config", join(folder, "influxd.conf")], { stdio: ["ignore", "ignore", "pipe"] });
  // A run that is cut short leaves none behind.
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  return child;
}

async function listening(child: ChildProcess): Promise<number> {
  const failed = once(child, "error").then(([error]) => {
    throw new Error("cannot start influxd; scripts/install-test-packages.sh installs it", { cause: error });
  });
  const started = (async () => {
    const said: string[] = [];
    const lines = createInterface({ input: child.stderr! });
    for await (const line of lines) {
      said.push(line);
      const port = STARTED.exec(line)?.[1];
      if (port) {
        // Read on, or influxd would block on a full pipe.
        child.stderr!.resume();
        return Number(port);
      }
    }
    throw new Error(`influxd ended before it listened:\n${said.slice(-5).join("\n")}`);
  })();
  return Promise.race([started, failed]);
}

interface Settings {
  readonly auth: boolean;
  readonly port: number;
  readonly max_body_bytes: number;
}

const configuration = (folder: string, { auth, port, max_body_bytes }: Settings): string => `
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  auth-enabled = ${auth}
  log-enabled = false
  max-body-size = ${max_body_bytes}
[monitor]
  store-enabled = false
[continuous_queries]
  enabled = false
`;
