import { type Adb, AdbFeature, AdbServerClient, AdbShellProtocolProcessImpl, type AdbSocket, AdbSync } from "@yume-chan/adb";
import { JoulebenchError } from "../model/errors.ts";
import { AdbConnector } from "./adb-connector.ts";
import { type AdbDevice, choose, listDevices, missing, unusable } from "./adb-devices.ts";
import { type AdbOptions, isAddress, serverPortOf } from "./adb-options.ts";
import { connectDevice, disconnectDevice } from "./adb-program.ts";
import { APPEAR_S, POLL_MS, reachServer } from "./adb-server.ts";
import { within } from "./deadline.ts";

/** The adb protocol between client and server has four hexadecimal digits for the length of a request. */
export const LONGEST_SERVICE_BYTES = 0xffff;

interface Opened {
  readonly adb: Adb;
  readonly transportId: bigint;
}

/** The way to one device through the adb server, until it is closed: it never comes back, a new one takes its place. */
export class AdbLink {
  /** As `adb devices` calls it. */
  readonly serial: string;
  readonly limit_s: number;
  readonly #client: AdbServerClient;
  readonly #adb: Adb;
  readonly #transportId: bigint;
  readonly #stop: AbortController;
  readonly #listeners = new Set<() => void>();
  #loss: JoulebenchError | undefined;

  private constructor(client: AdbServerClient, { adb, transportId }: Opened, stop: AbortController, limit_s: number) {
    this.#client = client;
    this.#adb = adb;
    this.#transportId = transportId;
    this.serial = adb.serial;
    this.#stop = stop;
    this.limit_s = limit_s;
  }

  /**
   * Starts the server where there is none, connects anew to a device in the network, and waits until the device answers.
   *
   * @param known it has been there before: that it is not listed is no mistake of the rig then
   * @throws JoulebenchError `config` or `link`
   */
  static async open(options: AdbOptions, serial: string | undefined, known: boolean): Promise<AdbLink> {
    const stop = new AbortController();
    const limit_s = options.answer_timeout_s;
    try {
      const client = new AdbServerClient(new AdbConnector(serverPortOf(options), stop.signal));
      await reachServer(client, options);
      const device = await reachDevice(client, options, { serial, known });
      const adb = await within(client.createAdb({ transportId: device.transportId }), limit_s, device.serial);
      if (!adb.canUseFeature(AdbFeature.ShellV2))
        throw new JoulebenchError("config", device.serial, "its adbd cannot tell exit codes (no shell v2); Android 7 or later is needed");
      const link = new AdbLink(client, { adb, transportId: device.transportId }, stop, limit_s);
      await link.tell("exit 0"); // The server takes a device for connected long after it has fallen silent.
      return link;
    } catch (error) {
      stop.abort();
      if (error instanceof JoulebenchError) throw error;
      throw new JoulebenchError("link", serial ?? "adb", (error as Error).message, { cause: error });
    }
  }

  /** Why it is closed; undefined while it is not. */
  get loss(): JoulebenchError | undefined {
    return this.#loss;
  }

  /** Has `closed` called when the link is closed, once. @returns what takes that back */
  whenClosed(closed: () => void): () => void {
    this.#listeners.add(closed);
    return () => this.#listeners.delete(closed);
  }

  /** The device's file service. @throws JoulebenchError `link` */
  async files(): Promise<AdbSync> {
    return new AdbSync(this.#adb, await this.service("sync:"));
  }

  /** Opens a service of the device's adbd. @throws JoulebenchError `link`, also when the device refuses */
  async service(name: string): Promise<AdbSocket> {
    if (this.#loss) throw this.#loss;
    const opening = this.#client.createDeviceConnection({ transportId: this.#transportId }, name).catch((error: unknown) => {
      throw this.#loss ?? new JoulebenchError("link", this.serial, `cannot be reached: ${(error as Error).message}`, { cause: error });
    });
    return within(opening, this.limit_s, this.serial, (late) => void late.close());
  }

  /** Has the device's shell read `line` and waits for its end; its output is lost. @returns its exit code. @throws JoulebenchError `link` */
  async tell(line: string): Promise<number> {
    const process = new AdbShellProtocolProcessImpl(await this.service(`shell,v2,raw:${line}`));
    process.exited.catch(() => undefined);
    for (const stream of [process.stdout, process.stderr]) stream.pipeTo(drain()).catch(() => undefined);
    try {
      return await within(process.exited, this.limit_s, this.serial);
    } catch (error) {
      if (error instanceof JoulebenchError) throw error;
      throw this.#loss ?? new JoulebenchError("link", this.serial, `the link is lost: ${(error as Error).message}`, { cause: error });
    } finally {
      await process.kill();
    }
  }

  /** Lets go of everything at once, whether or not anybody answers. */
  close(): void {
    if (this.#loss) return;
    this.#loss = new JoulebenchError("link", this.serial, "the link is lost: it was closed");
    this.#stop.abort();
    for (const closed of this.#listeners) closed();
    this.#listeners.clear();
  }
}

type Sink = Parameters<AdbShellProtocolProcessImpl["stdout"]["pipeTo"]>[0];
const drain = (): Sink => new WritableStream() as unknown as Sink;

interface Wanted {
  readonly serial: string | undefined;
  readonly known: boolean;
}

async function reachDevice(client: AdbServerClient, options: AdbOptions, { serial, known }: Wanted): Promise<AdbDevice> {
  let said = "";
  const byAddress = serial !== undefined && isAddress(serial);
  const list = () => within(listDevices(client), options.answer_timeout_s, "adb server");
  if (byAddress && (known || choose(await list(), serial)?.state !== "device")) {
    // Of a device that is listed and offline `adb connect` says that it is connected, and does nothing.
    await disconnectDevice(options, serial);
    said = await connectDevice(options, serial);
  }
  const begin = performance.now();
  const waited_s = () => (performance.now() - begin) / 1000;
  while (true) {
    const devices = await list();
    const device = choose(devices, serial);
    if (device?.state === "device") return device;
    const patience_s = device || byAddress ? options.answer_timeout_s : Math.min(APPEAR_S, options.answer_timeout_s);
    const isRefused = device ? device.state === "unauthorized" || device.state.startsWith("no permissions") : isHopeless(said);
    if (isRefused || waited_s() > patience_s) throw reasonFor(device, devices, { serial, known }, said);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const isHopeless = (said: string): boolean =>
  /refused|cannot resolve|failed to resolve|No route|unreachable|empty (host|address)/i.test(said);

function reasonFor(device: AdbDevice | undefined, devices: readonly AdbDevice[], { serial, known }: Wanted, said: string): JoulebenchError {
  if (device) return unusable(device, said);
  if (serial === undefined || !(known || isAddress(serial))) return missing(devices, serial);
  const todo = isAddress(serial)
    ? "is it switched on, in this network, and its debugging over Wi-Fi on?"
    : "is it plugged in and switched on?";
  return new JoulebenchError("link", serial, `cannot be reached${said && `: adb said: ${said}`}; ${todo}`);
}
