import type { HostNs } from "../model/clock.ts";
import { JoulebenchError } from "../model/errors.ts";
import type { Channel, Line } from "../model/transport.ts";
import type { Started } from "./openssh-client.ts";
import type { OpensshLink } from "./openssh-link.ts";
import { ProcessChannel } from "./process-channel.ts";
import { endRemote } from "./remote-command.ts";

/** What ssh ends with when it failed itself, or when a signal ended the command. */
const NO_EXIT_CODE = 255;

/** What ssh says on standard error, and not where its other words go. */
const CLOSED = /^(Connection to \S+ closed.*|Read from remote host .*)\s*$/m;

/** A command on the device behind a client of the system's ssh. */
export class OpensshChannel implements Channel {
  readonly lines: AsyncIterable<Line>;
  /** Null for exit code 255, too: ssh says that of a command that a signal ended. */
  readonly exit: Promise<number | null>;
  /** Process id on the device, once known. */
  pid: number | undefined;
  readonly #client: ProcessChannel;
  readonly #started: Started;
  readonly #link: OpensshLink;
  readonly #name: string;
  #closing: Promise<void> | undefined;

  constructor(started: Started, link: OpensshLink, name: string, now: () => HostNs) {
    this.#client = new ProcessChannel(started.child, name, now, { verdict: () => this.exit });
    this.#started = started;
    this.#link = link;
    this.#name = name;
    this.lines = this.#client.lines;
    this.exit = this.#end();
    this.exit.catch(() => undefined); // Nobody has to ask.
  }

  complaint(): string {
    return this.#client.complaint();
  }

  write(line: string): Promise<void> {
    return this.#client.write(line);
  }

  endInput(): void {
    this.#client.endInput();
  }

  close(): Promise<void> {
    this.#closing ??= this.#letGo();
    return this.#closing;
  }

  /** Lets go of the client, whatever becomes of the command; the link must be closed already. */
  drop(): void {
    this.#started.child.kill("SIGKILL");
  }

  async #end(): Promise<number | null> {
    const code = await this.#client.exit;
    const failure = code === null || code === NO_EXIT_CODE ? await this.#link.failure(this.#started, this.#aside()) : undefined;
    await this.#link.client.forget(this.#started);
    if (failure) throw new JoulebenchError(failure.kind, this.#name, failure.message, { cause: failure });
    return code === NO_EXIT_CODE ? null : code;
  }

  /** Standard error is the command's once it runs, but for the last words of a client whose connection was closed. */
  #aside(): string {
    return this.pid === undefined ? this.complaint() : (CLOSED.exec(this.complaint())?.[0] ?? "");
  }

  async #letGo(): Promise<void> {
    this.#client.endInput();
    this.#client.drain();
    const ended = await endRemote(this, async (line) => {
      const { child } = await this.#link.client.exec(line);
      child.stdin.on("error", () => undefined).end();
      child.stdout.resume();
      child.stderr.resume();
    });
    await this.#client.close();
    if (!ended) throw new JoulebenchError("link", this.#name, `process ${this.pid} does not end, not even by SIGKILL`);
  }
}
