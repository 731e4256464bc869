import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePort } from "../e2e/loopback.ts";
import { childrenOf, commandOf, processesOf, signal } from "./processes.ts";
import { layOut, layOutAccounts, type Tree } from "./tree.ts";

const NAMESPACE = fileURLToPath(new URL("./namespace.sh", import.meta.url));
const UNSHARE = ["--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];

export interface SshdOptions {
  readonly tree?: Tree;
  /** Types of its host keys, the first one first. */
  readonly hostKeys?: readonly ("ed25519" | "ecdsa" | "rsa")[];
  /** Further lines of its configuration. */
  readonly config?: readonly string[];
}

/** A Jetson or a Raspberry Pi as far as ssh can tell: a real sshd on loopback with the device's files at their absolute paths. */
export class Sshd {
  readonly host = "127.0.0.1";
  /** Its shell is bash; tree.ts lists names with other shells. Password "bench" where the configuration allows it. */
  readonly user = "bench";
  readonly port: number;
  /** Everything of it, and room for a test's own files. */
  readonly folder: string;
  /** The device's `sys` and `etc`: what is written there changes on the device at once. */
  readonly root: string;
  /** A private key that it accepts. */
  readonly key: string;
  /** Its host keys as a known_hosts file. */
  readonly knownHosts: string;
  #outer: ChildProcess | undefined;
  #log: string[] = [];

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.root = join(folder, "root");
    this.key = join(folder, "user_key");
    this.knownHosts = join(folder, "known_hosts");
  }

  static async start({ tree = "jetson", hostKeys = ["ed25519"], config = [] }: SshdOptions = {}): Promise<Sshd> {
    const folder = mkdtempSync(join(tmpdir(), "joulebench-sshd-"));
    const sshd = new Sshd(folder, await freePort());
    for (const name of ["home", "root", "root/etc", "shells"]) mkdirSync(join(folder, name));
    symlinkSync("/bin/busybox", join(folder, "shells/ash"));
    layOut(tree, sshd.root);
    layOutAccounts(sshd.root, folder);
    makeKey(sshd.key, "ed25519");
    writeFileSync(join(folder, "authorized_keys"), readFileSync(`${sshd.key}.pub`));
    for (const type of hostKeys) makeKey(join(folder, `host_${type}`), type);
    writeFileSync(join(folder, "sshd_config"), sshd.#configuration(hostKeys, config));
    writeFileSync(sshd.knownHosts, hostKeys.map((type) => `${sshd.entry(type)}\n`).join(""));
    writeFileSync(join(sshd.root, "boot_id"), `${randomUUID()}\n`);
    await sshd.#run();
    return sshd;
  }

  /** The sshd that listens, by its id on this machine. */
  get pid(): number {
    return childrenOf(this.#outer!.pid!)[0]!;
  }

  /** What sshd has said, for messages of failed tests. */
  get log(): string {
    return this.#log.join("\n");
  }

  /** A line of known_hosts for one of its host keys. */
  entry(type: string, name = `[${this.host}]:${this.port}`): string {
    return `${name} ${readFileSync(join(this.folder, `host_${type}.pub`), "utf8")
      .split(" ")
      .slice(0, 2)
      .join(" ")}`;
  }

  /** Changes a file of the device, such as `sys/class/thermal/thermal_zone0/temp`. */
  write(path: string, text: string): void {
    writeFileSync(join(this.root, path), text);
  }

  /** The sshd process of each connection. */
  sessions(): number[] {
    return childrenOf(this.pid).filter((pid) => commandOf(pid).startsWith("sshd"));
  }

  /** Stops everything on the device: connections stay and are silent. */
  freeze(): void {
    signal(processesOf(this.pid), "SIGSTOP");
  }

  thaw(): void {
    signal(processesOf(this.pid), "SIGCONT");
  }

  /** Ends every connection without a word, as a crash of the session's process does. */
  killSessions(): void {
    signal(this.sessions(), "SIGKILL");
  }

  /** Everything on the device ends; then sshd listens again on the same port, in the same boot. */
  async restart(): Promise<void> {
    await this.#end();
    await this.#run();
  }

  /** As {@link restart}, in a new boot. */
  async reboot(): Promise<void> {
    await this.#end();
    this.write("boot_id", `${randomUUID()}\n`);
    await this.#run();
  }

  /** Ends everything on the device and leaves no port, mount or file behind. */
  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    const sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", join(this.folder, "sshd_config")];
    const argv = ["unshare", ...UNSHARE, "sh", NAMESPACE, this.root, ...sshd];
    const [command = "", ...rest] = process.getuid!() === 0 ? argv : ["sudo", "-n", ...argv];
    const outer = spawn(command, rest, { stdio: ["ignore", "ignore", "pipe"] });
    this.#outer = outer;
    // A run that is cut short leaves none behind: all of it ends with this process.
    process.once("exit", () => outer.kill("SIGKILL"));
    for await (const line of createInterface({ input: outer.stderr })) {
      this.#log.push(line);
      if (!line.includes("Server listening on")) continue;
      createInterface({ input: outer.stderr }).on("line", (each) => this.#log.push(each));
      return;
    }
    throw new Error(`sshd ended before it listened:\n${this.log}`);
  }

  async #end(): Promise<void> {
    const outer = this.#outer!;
    if (outer.exitCode !== null || outer.signalCode !== null) return;
    const gone = once(outer, "exit");
    signal(processesOf(this.pid), "SIGKILL");
    await gone;
  }

  #configuration(hostKeys: readonly string[], further: readonly string[]): string {
    const path = [join(this.root, "bin"), dirname(process.execPath), "/usr/local/bin:/usr/bin:/bin"].join(":");
    return [
      ...further, // The first value of a keyword counts.
      `Port ${this.port}`,
      `ListenAddress ${this.host}`,
      ...hostKeys.map((type) => `HostKey ${join(this.folder, `host_${type}`)}`),
      `AuthorizedKeysFile ${join(this.folder, "authorized_keys")}`,
      "PidFile none",
      "StrictModes no",
      "UsePAM no",
      "PermitRootLogin yes",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PrintMotd no",
      "MaxStartups 100",
      "MaxSessions 100",
      "LogLevel VERBOSE",
      `SetEnv HOME=${join(this.folder, "home")} PATH=${path}`,
      "Subsystem sftp internal-sftp",
      "",
    ].join("\n");
  }
}

export const startSshd = (options?: SshdOptions): Promise<Sshd> => Sshd.start(options);

/** A throw-away key pair: `path` and `path`.pub. */
export function makeKey(path: string, type: string, passphrase = ""): void {
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", "joulebench test", "-f", path]);
}
