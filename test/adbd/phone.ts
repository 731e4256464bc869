import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AdbServer } from "./adb-server.ts";
import { Adbd } from "./adbd.ts";
import { Userland } from "./userland.ts";

export interface PhoneOptions {
  /** `network`: by host and port. `cable`: by a serial of its own, as a phone on USB; adb finds it by itself. */
  readonly link?: "network" | "cable";
  /** Lets nobody in whose key it has not accepted. */
  readonly asksForKeys?: boolean;
  readonly features?: readonly string[];
  /** Properties beside those of `phone/build.prop`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Shares the adb of another phone; by default it has one of its own. */
  readonly server?: AdbServer;
}

const FEATURES = ["shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir"];

/** An Android phone as far as adb can tell, behind the real adb server. */
export class Phone {
  readonly server: AdbServer;
  readonly userland: Userland;
  readonly adbd: Adbd;
  readonly #options: PhoneOptions;
  readonly #folder: string;
  #port = 0;

  private constructor(options: PhoneOptions, server: AdbServer) {
    const { asksForKeys = false, features = FEATURES, properties = {} } = options;
    this.#options = options;
    this.server = server;
    this.#folder = mkdtempSync(join(tmpdir(), "joulebench-phone-"));
    this.userland = new Userland(this.#folder, { "ro.serialno": "41090DLJH0014B", ...properties });
    const model = properties["ro.product.model"] ?? "Pixel 8";
    const banner = `device::ro.product.name=shiba;ro.product.model=${model};ro.product.device=shiba;features=${features.join(",")}`;
    this.adbd = new Adbd(this.userland, banner, asksForKeys);
  }

  static async start(options: PhoneOptions = {}): Promise<Phone> {
    const phone = new Phone(options, options.server ?? (await AdbServer.create()));
    await phone.userland.boot();
    phone.#port = await phone.adbd.listen(0);
    await phone.server.adb("start-server");
    await phone.#plugIn();
    return phone;
  }

  get serverPort(): number {
    return this.server.port;
  }

  get home(): string {
    return this.server.home;
  }

  /** Variables with which any adb reaches the same server. */
  get env(): Readonly<Record<string, string>> {
    return { HOME: this.home, ANDROID_ADB_SERVER_PORT: String(this.serverPort) };
  }

  /** What `adb devices` calls it. */
  get serial(): string {
    return this.#options.link === "cable" ? `emulator-${this.#port - 1}` : `127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get boot_id(): string {
    return readFileSync(join(this.#folder, "boot_id"), "utf8").trim();
  }

  /** Changes a file of the phone, such as `sys/class/thermal/thermal_zone0/temp`. */
  write(path: string, text: string): void {
    this.userland.write(path, text);
  }

  /** A file of the phone, as a path here. */
  at(path: string): string {
    return join(this.#folder, path);
  }

  /** The link is gone and cannot be had again. */
  async vanish(): Promise<void> {
    await this.adbd.unlisten();
  }

  /** It can be had again. */
  async return(): Promise<void> {
    await this.adbd.listen(this.#port);
    await this.#plugIn();
  }

  /** Every connection is reset; the next one is taken. */
  dropTransports(): void {
    this.adbd.dropTransports();
  }

  /** Everything on it stands still: connections stay and are silent. */
  freeze(): void {
    this.adbd.freeze();
    this.userland.freeze();
  }

  thaw(): void {
    this.userland.thaw();
    this.adbd.thaw();
  }

  /** Every process ends; then it is there again, in a new boot. */
  async reboot(): Promise<void> {
    await this.vanish();
    await this.userland.end();
    await this.userland.boot();
    await this.return();
  }

  /** Its owner accepts the keys that it asks for. */
  accept(): void {
    for (const letIn of [...this.adbd.waiting.values()]) letIn();
  }

  /** Leaves no process, port, mount or file behind. */
  async close(): Promise<void> {
    this.thaw();
    if (!this.#options.server) await this.server.close();
    await this.adbd.unlisten();
    await this.userland.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Tells the adb server of a phone that just appeared, by the message with which emulators do that. */
  async #plugIn(): Promise<void> {
    if (this.#options.link !== "cable" || this.server.pid() === undefined) return;
    const socket = connect(this.serverPort, "127.0.0.1");
    await once(socket, "connect");
    const message = `host:emulator:${this.#port}`;
    socket.end(message.length.toString(16).padStart(4, "0") + message);
    socket.resume();
    await once(socket, "close");
  }
}

export const startPhone = (options?: PhoneOptions): Promise<Phone> => Phone.start(options);
