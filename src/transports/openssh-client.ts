import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import { filesOf, type OpensshOptions, SHARED, SHARING, settingsOf } from "./openssh-options.ts";

/** What ssh says of failures that connecting anew does not cure. */
const REFUSALS =
  /permission denied|host key verification failed|host identification has changed|too many authentication failures|no matching|bad configuration|bad owner or permissions|can't open user config|keyword .* extra arguments|unsupported|invalid format/i;

/** Words of ssh that are kept, from their end. */
const SAID_LENGTH = 4096;

/** A client that runs, and the file that ssh's own words go to, apart from the command's standard error. */
export interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  readonly log: string;
}

/** Starts clients of the system's ssh, with a private folder for their words and for the socket that they share. */
export class OpensshClient {
  /** The device, as messages name it. */
  readonly name: string;
  readonly #options: OpensshOptions;
  readonly #folder: string;
  #count = 0;

  private constructor(options: OpensshOptions, folder: string) {
    const { user, host, port } = options;
    this.name = `${user === undefined ? "" : `${user}@`}${host}${port === undefined ? "" : `:${port}`}`;
    this.#options = options;
    this.#folder = folder;
  }

  static async create(options: OpensshOptions): Promise<OpensshClient> {
    return new OpensshClient(options, await mkdtemp(join(tmpdir(), "joulebench-ssh-")));
  }

  /** Has the login shell read `line`, over the shared connection where there is one. @throws JoulebenchError `config` without ssh */
  exec(line: string): Promise<Started> {
    return this.#ssh(this.#sharing, [], [line]);
  }

  /** A connection to a port of the device's loopback interface, as the client's standard input and output. @throws as `exec` does */
  connect(port: number): Promise<Started> {
    return this.#ssh(this.#sharing, ["-W", `127.0.0.1:${port}`], []);
  }

  /** The connection that others share: says "up" when it is. @throws as `exec` does */
  share(): Promise<Started> {
    return this.#ssh(SHARED, ["-N"], []);
  }

  /**
   * Runs commands of sftp, until one fails.
   *
   * @throws JoulebenchError `config` with its words when one fails, `link` when the device cannot be reached
   */
  async sftp(commands: readonly string[]): Promise<void> {
    const { program } = this.#options;
    const settings = [...this.#sharing, ...settingsOf(this.#options, this.#socket)].flatMap((each) => ["-o", each]);
    const argv = ["-q", "-b", "-", "-S", program, ...filesOf(this.#options), ...settings, "--", this.#options.host];
    const child = await this.#spawn("sftp", argv);
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk).slice(-SAID_LENGTH);
    });
    child.stdout.resume();
    child.stdin.on("error", () => undefined); // It has ended, and says why.
    child.stdin.end(`${commands.join("\n")}\n`);
    const [code] = await once(child, "close");
    if (code === 0) return;
    const kind = code === 1 || REFUSALS.test(said) ? "config" : "link";
    throw new JoulebenchError(kind, this.name, `sftp says: ${words(said) || `nothing (exit code ${code})`}`);
  }

  /**
   * Why a client has ended, in ssh's own words; undefined when it had none: then its command has ended.
   *
   * @param aside what it said on standard error, as far as that is its own
   */
  async failure({ log }: Started, aside: string): Promise<JoulebenchError | undefined> {
    const said = words((await readFile(log, "utf8").catch(() => "")).slice(-SAID_LENGTH)) || words(aside);
    if (!said) return undefined;
    return new JoulebenchError(REFUSALS.test(said) ? "config" : "link", this.name, `ssh says: ${said}`);
  }

  forget({ log }: Started): Promise<void> {
    return rm(log, { force: true });
  }

  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }

  get #socket(): string | undefined {
    return this.#options.multiplex ? join(this.#folder, "socket") : undefined;
  }

  get #sharing(): readonly string[] {
    return this.#options.multiplex ? SHARING : ["ControlMaster=no"];
  }

  async #ssh(first: readonly string[], options: readonly string[], command: readonly string[]): Promise<Started> {
    const log = join(this.#folder, `${this.#count++}.log`);
    const settings = [...first, ...settingsOf(this.#options, this.#socket)].flatMap((each) => ["-o", each]);
    const argv = ["-T", "-E", log, ...filesOf(this.#options), ...settings, ...options, "--", this.#options.host, ...command];
    return { child: await this.#spawn(this.#options.program, argv), log };
  }

  async #spawn(program: string, argv: readonly string[]): Promise<ChildProcessWithoutNullStreams> {
    const child = spawn(program, argv, { stdio: ["pipe", "pipe", "pipe"], shell: false });
    try {
      await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
      return child;
    } catch (error) {
      const message = `cannot start: ${(error as Error).message}; install the OpenSSH client`;
      throw new JoulebenchError("config", program, message, { cause: error });
    }
  }
}

/** The last lines, without what is no failure. */
function words(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/[@\s]+$/, "").replace(/^[@\s]+/, ""));
  const telling = lines.filter((line) => line && !/^(Warning: Permanently added|sftp>)/.test(line));
  return telling.slice(-8).join(" / ");
}
