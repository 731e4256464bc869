import { AdbShellProtocolProcessImpl, type AdbSocket } from "@yume-chan/adb";
import type { HostNs } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Line } from "../model/transport.ts";
import type { AdbLink } from "./adb-link.ts";
import { settlesWithin, within } from "./deadline.ts";
import { LineQueue } from "./line-queue.ts";
import { LineCutter } from "./lines.ts";
import { endRemote } from "./remote-command.ts";

/** What is kept of standard error, in UTF-16 units. */
const COMPLAINT_LENGTH = 4096;
/** Input that waits here, beyond what lies unread on its way, before writing is an error. */
const UNREAD_BYTES = 64 * 1024;
/** How long output may keep a channel open after its command has ended. */
const LINGER_MS = 100;
/** adbd says 128 + n of a command that signal n has ended; no program can be told from it that says so itself. */
const SIGNALS = { first: 128 + 1, last: 128 + 31 };

/** A command on the device. Every line is stamped when the packet that ends it arrives. */
export class AdbChannel implements Channel {
  readonly lines: AsyncIterable<Line>;
  readonly exit: Promise<number | null>;
  /** Process id on the device, once known. */
  pid: number | undefined;
  readonly #process: AdbShellProtocolProcessImpl;
  readonly #input: ReturnType<AdbShellProtocolProcessImpl["stdin"]["getWriter"]>;
  readonly #link: AdbLink;
  readonly #name: string;
  readonly #queue: LineQueue;
  readonly #read: Promise<void>;
  /** Rejects writes that no answer can come for. */
  readonly #unwritten = new Set<(error: Error) => void>();
  #unsent_bytes = 0;
  #hasInput = true;
  #complaint = "";
  /** How the command ended, as far as it is known. */
  #end: { readonly code: number | null } | JoulebenchError | undefined;
  #closing: Promise<void> | undefined;
  #room: Promise<void> = Promise.resolve();
  #makeRoom: () => void = () => {};

  constructor(socket: AdbSocket, link: AdbLink, name: string, now: () => HostNs) {
    this.#process = new AdbShellProtocolProcessImpl(socket);
    this.#input = this.#process.stdin.getWriter();
    this.#input.closed.catch(() => undefined); // Each write tells.
    this.#link = link;
    this.#name = name;
    this.#queue = new LineQueue(() => this.#makeRoom());
    this.lines = this.#queue;
    this.exit = this.#untilEnd();
    this.exit.catch(() => undefined); // Nobody has to ask.
    this.#read = this.#readLines(now);
    void this.#readComplaint();
  }

  complaint(): string {
    return this.#complaint.trim();
  }

  /** @throws RangeError when `line` is not one line; JoulebenchError `link` when the command or the link has gone, or nobody reads */
  async write(line: string): Promise<void> {
    if (line.includes("\n")) throw new RangeError("a line holds no newline");
    if (this.#end || !this.#hasInput) throw this.#unwritable();
    if (this.#unsent_bytes > UNREAD_BYTES) throw this.#failure("does not read its standard input");
    const bytes = Buffer.from(`${line}\n`);
    this.#unsent_bytes += bytes.length;
    const sent = this.#input.write(bytes).finally(() => {
      this.#unsent_bytes -= bytes.length;
    });
    let refuse: (error: Error) => void = () => undefined;
    const written = new Promise<void>((resolve, reject) => {
      refuse = reject;
      sent.then(resolve, () => reject(this.#unwritable()));
    });
    this.#unwritten.add(refuse);
    await within(written, this.#link.limit_s, this.#name).finally(() => this.#unwritten.delete(refuse));
  }

  endInput(): void {
    if (!this.#hasInput) return;
    this.#hasInput = false;
    this.#input.close().catch(() => undefined);
  }

  close(): Promise<void> {
    this.#closing ??= this.#letGo();
    return this.#closing;
  }

  async #letGo(): Promise<void> {
    this.endInput();
    this.#makeRoom();
    let isLost = false;
    const ended = await endRemote(this, (line) =>
      this.#link.tell(line).catch(() => {
        isLost = true;
        // Nothing can be told any more: waiting for its end, and telling again, would only take longer.
        void this.#process.kill();
      }),
    );
    if (ended) await settlesWithin(this.#read, LINGER_MS);
    await this.#process.kill();
    this.#queue.end();
    if (!ended && !isLost) throw this.#failure(`process ${this.pid} does not end, not even by SIGKILL`);
  }

  async #untilEnd(): Promise<number | null> {
    const forget = this.#link.whenClosed(() => this.#makeRoom());
    try {
      const said = await this.#process.exited;
      const code = said >= SIGNALS.first && said <= SIGNALS.last ? null : said;
      this.#end = { code };
      return code;
    } catch (error) {
      const why = this.#link.loss ?? this.#failure("the link was lost before the command ended", error as Error);
      this.#end = why;
      throw why;
    } finally {
      forget();
      for (const refuse of this.#unwritten) refuse(this.#unwritable());
    }
  }

  async #readLines(now: () => HostNs): Promise<void> {
    const cutter = new LineCutter();
    const give = (texts: readonly string[]): void => {
      const host_ns = now();
      for (const text of texts) this.#queue.push({ text, host_ns });
    };
    try {
      for await (const chunk of this.#process.stdout) {
        // Nobody may be left to read while it ends; what does not fit is then dropped, so that it can end.
        if (this.#queue.full && this.#closing) continue;
        give(cutter.push(chunk));
        if (this.#queue.full && !this.#closing && !this.#link.loss)
          this.#room = new Promise((resolve) => {
            this.#makeRoom = resolve;
          });
        await this.#room;
      }
      // Rejects when the link was lost: what came of the last line is then no line.
      await this.exit;
      give(cutter.end());
    } catch {
      // `exit` tells.
    }
    this.#queue.end();
  }

  async #readComplaint(): Promise<void> {
    try {
      const decoder = new TextDecoder();
      for await (const chunk of this.#process.stderr)
        this.#complaint = (this.#complaint + decoder.decode(chunk, { stream: true })).slice(-COMPLAINT_LENGTH);
    } catch {
      // `exit` tells.
    }
  }

  #unwritable(): JoulebenchError {
    if (this.#end instanceof JoulebenchError) return this.#end;
    const { code } = this.#end ?? {};
    const how = code === undefined ? "" : `; it ended with ${code === null ? "a signal" : `exit code ${code}`}`;
    return this.#failure(`does not take input any more${how}`);
  }

  #failure(what: string, cause?: Error): JoulebenchError {
    const said = this.complaint() && `; it said: ${this.complaint().split("\n").slice(-5).join(" / ")}`;
    return new JoulebenchError("link", this.#name, `${what}${said}`, { cause });
  }
}
