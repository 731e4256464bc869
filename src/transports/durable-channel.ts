import { randomBytes } from "node:crypto";
import type { HostNs } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Finished, Line, Transport } from "../model/transport.ts";
import { durable, exitCode } from "./durable-scripts.ts";
import { LineQueue } from "./line-queue.ts";

/** How long a command may take to end by itself, then after SIGTERM. */
const PATIENCE_S = 1;
/** What it printed last may still be on its way. */
const LAST_LINES_MS = 3000;

/** What a durable channel needs of a transport: one without a shell cannot carry it. */
export type ShellTransport = Transport & Required<Pick<Transport, "run">>;

/**
 * A command on the device that outlives the link: what it prints is kept in a file there and followed from here.
 *
 * After a lost link `resume` goes on with the line after the last one received, and sends again what had not arrived:
 * nothing that the device kept is lost, nothing comes twice. Lines are stamped when they arrive, which after a lost
 * link may be long after they were printed.
 */
export class DurableChannel implements Channel {
  readonly lines: AsyncIterable<Line>;
  readonly exit: Promise<number | null>;
  /** Where the device keeps it. */
  readonly folder: string;
  readonly #transport: ShellTransport;
  readonly #queue: LineQueue;
  readonly #written: string[] = [];
  #settle: (code: number | null) => void = () => {};
  #follower: Channel | undefined;
  #feeder: Channel | undefined;
  #received = 0;
  #complaint = "";
  #hasEnded = false;
  #closing: Promise<void> | undefined;
  #room: Promise<void> = Promise.resolve();
  #makeRoom: () => void = () => {};

  /**
   * Starts a command. A link that is lost meanwhile is as one that is lost later: `resume` goes on, `close` tidies up.
   *
   * @throws JoulebenchError `config` when it begins with a dash or the device has nowhere to keep its output; `link`,
   * with nothing left there
   */
  static async start(transport: ShellTransport, argv: readonly string[]): Promise<DurableChannel> {
    // Shells would take it for an option of `exec`, and not all know an end of options there.
    if (argv[0]?.startsWith("-")) throw new JoulebenchError("config", argv[0], "a command cannot begin with a dash; give its full path");
    const { output } = await transport.run(durable.base);
    const channel = new DurableChannel(transport, `${output.trim()}/joulebench-${randomBytes(6).toString("hex")}`);
    await channel.#begin(argv);
    return channel;
  }

  private constructor(transport: ShellTransport, folder: string) {
    this.#transport = transport;
    this.folder = folder;
    this.#queue = new LineQueue(() => this.#makeRoom());
    this.lines = this.#queue;
    this.exit = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  complaint(): string {
    return this.#complaint.trim();
  }

  /** @throws RangeError when `line` is not one line; a line that a lost link swallowed is sent again by `resume` */
  async write(line: string): Promise<void> {
    if (line.includes("\n")) throw new RangeError("a line holds no newline");
    this.#written.push(line);
    await this.#feeder?.write(line);
  }

  /** Sends a line from the device itself, `delay_s` from now, unless it is closed before; no link is needed then. @throws JoulebenchError `link` */
  async writeLater(line: string, delay_s: number): Promise<void> {
    if (line.includes("\n")) throw new RangeError("a line holds no newline");
    await this.#transport.run(durable.feedLater(this.folder, delay_s, line));
  }

  /** A command that outlives the link reads on until `close`. */
  endInput(): void {}

  /**
   * Goes on after the transport has connected anew.
   *
   * @param opened called before the first line that comes now
   * @param hasRebooted the command is gone then, whoever has its process number now; what it left behind is read
   * @throws JoulebenchError `link` when the link is lost again: resume once more
   */
  async resume(opened: () => void, hasRebooted: boolean): Promise<void> {
    if (this.#hasEnded) return;
    opened();
    const { output } = await this.#transport.run(durable.status(this.folder));
    const [state, count = "0"] = output.trim().split(/\s+/);
    if (state === "running" && !hasRebooted) {
      await this.#connect();
      for (const line of this.#written.slice(Number(count))) await this.#feeder?.write(line);
      return;
    }
    if (state !== "gone") await this.#receive(await this.#transport.open(durable.rest(this.folder, this.#received + 1)));
    await this.#end(null);
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #begin(argv: readonly string[]): Promise<void> {
    try {
      const { code, complaint } = await this.#transport.run(durable.start(this.folder, argv));
      if (code !== 0)
        throw new JoulebenchError(
          "config",
          "device",
          `cannot keep the output of ${argv[0]}: no writable /data/local/tmp, $TMPDIR or /tmp${complaint && `; it said: ${complaint}`}`,
        );
      await this.#connect();
    } catch (error) {
      if (!(error instanceof JoulebenchError) || error.kind !== "link") throw error;
      const isLost = await this.#clean().then(
        () => false,
        () => true,
      );
      if (isLost) return;
      await this.#letGo();
      throw error;
    }
  }

  async #connect(): Promise<void> {
    const follower = await this.#transport.open(durable.follow(this.folder, this.#received + 1));
    this.#follower = follower;
    void this.#receive(follower);
    this.#feeder = await this.#transport.open(durable.feed(this.folder));
    this.#feeder.exit.catch(() => undefined); // A lost link shows where the session looks for it.
  }

  async #receive(follower: Channel): Promise<void> {
    follower.exit.catch(() => undefined);
    for await (const { text, host_ns } of follower.lines) {
      const code = exitCode(text);
      if (code !== undefined) return this.#end(code);
      this.#received++;
      this.#push(text, host_ns);
      await this.#room;
    }
  }

  #push(text: string, host_ns: HostNs): void {
    this.#queue.push({ text, host_ns });
    if (this.#queue.full && !this.#closing)
      this.#room = new Promise((resolve) => {
        this.#makeRoom = resolve;
      });
  }

  async #end(code: number | null): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const said: Finished | undefined = await this.#transport.run(durable.complaint(this.folder)).catch(() => undefined);
    this.#complaint = said?.output ?? "";
    this.#queue.end();
    this.#settle(code);
  }

  async #clean(): Promise<void> {
    await this.#transport.run(durable.clean(this.folder));
  }

  async #letGo(): Promise<void> {
    await Promise.all([this.#follower?.close(), this.#feeder?.close()].map((each) => each?.catch(() => undefined)));
  }

  async #finish(): Promise<void> {
    this.#makeRoom();
    try {
      await this.#transport.run(durable.end(this.folder, PATIENCE_S));
      await within(this.exit, LAST_LINES_MS);
      await this.#clean();
    } catch (error) {
      // Without a link nothing can be tidied up; the session has said that it is lost.
      if (!(error instanceof JoulebenchError)) throw error;
    }
    await this.#letGo();
    this.#hasEnded = true;
    this.#queue.end();
    this.#settle(null);
  }
}

async function within(end: Promise<unknown>, patience_ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, patience_ms);
  });
  await Promise.race([end, late]);
  clearTimeout(timer);
}
