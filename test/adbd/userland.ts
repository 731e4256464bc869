import { type ChildProcess, type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { childrenOf, processesOf, signal } from "../sshd/processes.ts";

const NAMESPACE = fileURLToPath(new URL("./namespace.sh", import.meta.url));
const PHONE = fileURLToPath(new URL("./phone/", import.meta.url));
const UNSHARE = ["--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
const NSENTER = ["--mount", "--pid", "--root", "--wd"];
/** Of Android's tools those that Debian's toybox leaves out. */
const BUSYBOX = ["tr", "awk", "diff", "dd", "gzip"];

/** The files and processes of a phone, below `folder`: what a shell on it finds. */
export class Userland {
  readonly folder: string;
  #outer: ChildProcess | undefined;
  #init = 0;
  readonly #entered = new Set<ChildProcess>();
  #waker: NodeJS.Timeout | undefined;

  constructor(folder: string, properties: Readonly<Record<string, string>>) {
    this.folder = folder;
    for (const name of ["data/local/tmp", "system/bin", "system/state", "sys"]) mkdirSync(join(folder, name), { recursive: true });
    for (const line of readFileSync(join(PHONE, "files.txt"), "utf8").split("\n")) {
      const [, path = "", value = ""] = /^([^#].*?): (.*)$/.exec(line) ?? [];
      if (path) this.write(path, `${value.replaceAll("\\n", "\n")}\n`);
    }
    const bin = join(folder, "system/bin");
    for (const tool of execFileSync("toybox", { encoding: "utf8" }).split(/\s+/)) if (tool) symlinkSync("/usr/bin/toybox", join(bin, tool));
    for (const tool of BUSYBOX) symlinkSync("/bin/busybox", join(bin, tool));
    symlinkSync("/usr/bin/mksh", join(bin, "sh"));
    cpSync(join(PHONE, "bin"), bin, { recursive: true });
    const given = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`);
    this.write("system/build.prop", readFileSync(join(PHONE, "build.prop"), "utf8") + given.join(""));
  }

  /** Where the device's files are seen from here, mounts included. */
  get root(): string {
    return `/proc/${this.#init}/root`;
  }

  /** Changes a file of the device, such as `sys/class/thermal/thermal_zone0/temp`. */
  write(path: string, text: string): void {
    const at = join(this.folder, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
  }

  async boot(): Promise<void> {
    this.write("boot_id", `${randomUUID()}\n`);
    const outer = spawn("unshare", [...UNSHARE, "sh", NAMESPACE, this.folder], { stdio: ["ignore", "pipe", "pipe"] });
    this.#outer = outer;
    // A run that is cut short leaves none behind: all of it ends with this process.
    const kill = () => outer.kill("SIGKILL");
    process.once("exit", kill);
    outer.once("exit", () => process.off("exit", kill));
    let said = "";
    outer.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
    });
    await Promise.race([once(outer.stdout, "data"), once(outer, "exit")]);
    this.#init = childrenOf(outer.pid!)[0] ?? 0;
    if (outer.exitCode !== null || !this.#init) throw new Error(`the phone does not boot: ${said}`);
  }

  /** Runs a shell command in a session of its own, as adbd does. */
  spawn(command: string): ChildProcessWithoutNullStreams {
    const env = { PATH: "/system/bin", HOME: "/", TMPDIR: "/data/local/tmp", ANDROID_ROOT: "/system", ANDROID_DATA: "/data" };
    const argv = ["--target", String(this.#init), ...NSENTER, "/usr/bin/setsid", "/system/bin/sh", "-c", command];
    const child = spawn("/usr/bin/nsenter", argv, { env, stdio: ["pipe", "pipe", "pipe"] });
    this.#entered.add(child);
    child.once("close", () => this.#entered.delete(child));
    return child;
  }

  signal(pid: number, name: NodeJS.Signals): void {
    signal([pid], name);
  }

  freeze(): void {
    clearInterval(this.#waker);
    signal(this.#all(), "SIGSTOP");
  }

  thaw(): void {
    clearInterval(this.#waker);
    signal(this.#all(), "SIGCONT");
    // nsenter stops itself when it sees that its child has stopped, which may be after it was told to go on.
    const wake = () => signal(this.#enteredPids(), "SIGCONT");
    this.#waker = setInterval(wake, 20).unref();
  }

  /** Ends every process of the device. */
  async end(): Promise<void> {
    const outer = this.#outer;
    if (!outer || outer.exitCode !== null || outer.signalCode !== null) return;
    const gone = [outer, ...this.#running()].map((each) => once(each, "exit"));
    this.thaw();
    signal(processesOf(this.#init), "SIGKILL");
    await Promise.all(gone);
    clearInterval(this.#waker);
  }

  /** Processes of the device, and those here that wait for one. */
  #all(): number[] {
    return [...processesOf(this.#init).filter((pid) => pid !== this.#init), ...this.#enteredPids()];
  }

  #enteredPids(): number[] {
    return this.#running().map((each) => each.pid!);
  }

  /** One that a signal has ended has no exit code, and will not end again. */
  #running(): ChildProcess[] {
    return [...this.#entered].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  }
}
