import type { Client, ClientChannel, SFTPWrapper } from "ssh2";
import { JoulebenchError } from "../model/errors.ts";
import { within } from "./deadline.ts";
import { connect } from "./ssh-connect.ts";
import { hopsOf, nameOf, type SshOptions } from "./ssh-options.ts";

type Answer<T> = (error: Error | undefined, value: T) => void;

/** One connection to the device, until it is lost: it never comes back, a new one takes its place. */
export class SshLink {
  /** The device, as messages name it. */
  readonly name: string;
  /** Resolves with the reason, of kind `link`, when the connection has ended, for whatever reason. */
  readonly lost: Promise<JoulebenchError>;
  readonly #clients: readonly Client[];
  readonly #limit_s: number;
  #loss: JoulebenchError | undefined;

  private constructor(clients: readonly Client[], options: SshOptions) {
    const device = clients.at(-1)!;
    this.name = nameOf(hopsOf(options).at(-1)!);
    this.#clients = clients;
    this.#limit_s = options.connect_timeout_s;
    let reason = "the connection was closed";
    device.on("error", ({ message, level }) => {
      reason = level === "client-timeout" ? `no answer for ${options.silence_s} s` : message;
    });
    this.lost = new Promise((resolve) => {
      device.once("close", () => {
        this.#loss = new JoulebenchError("link", this.name, `the link is lost: ${reason}`);
        resolve(this.#loss);
      });
    });
  }

  /** @throws JoulebenchError as `connect` does */
  static async open(options: SshOptions): Promise<SshLink> {
    return new SshLink(await connect(options), options);
  }

  /** Why it is lost; undefined while it is not known to be. */
  get loss(): JoulebenchError | undefined {
    return this.#loss;
  }

  /**
   * Has the login shell read `line`.
   *
   * @param take is given the channel at once: its end may come with the answer, and is said only once
   * @throws JoulebenchError `link`
   */
  exec<T>(line: string, take: (stream: ClientChannel) => T): Promise<T> {
    let stream: ClientChannel | undefined;
    return this.#ask<T>(
      (client, answer) =>
        client.exec(line, (error, opened) => {
          stream = opened;
          if (error) answer(error, undefined as T);
          else answer(undefined, take(opened));
        }),
      () => stream?.close(),
    );
  }

  /** Connects to a port of the device's loopback interface. @throws JoulebenchError `link`, also when nothing listens there */
  connect(port: number): Promise<ClientChannel> {
    return this.#ask<ClientChannel>(
      (client, answer) => client.forwardOut("127.0.0.1", 0, "127.0.0.1", port, answer),
      (late) => late.close(),
    );
  }

  /** Uses the file server of the device and lets go of it. @throws JoulebenchError `link`; what `use` throws */
  async withFiles<T>(use: (files: SFTPWrapper) => Promise<T>): Promise<T> {
    const files = await this.#ask<SFTPWrapper>(
      (client, answer) => client.sftp(answer),
      (late) => late.end(),
    );
    try {
      return await this.unlessLost(use(files));
    } finally {
      files.end();
    }
  }

  /** @throws JoulebenchError `link` as soon as the link is lost, where `answer` might never come */
  async unlessLost<T>(answer: Promise<T>): Promise<T> {
    answer.catch(() => undefined);
    const first = await Promise.race([answer.then((value) => ({ value })), this.lost]);
    if (first instanceof JoulebenchError) throw first;
    return first.value;
  }

  /** Lets go of the connection, whether or not anybody answers. */
  async close(): Promise<void> {
    for (const client of this.#clients.toReversed()) client.destroy();
    await this.lost;
  }

  #ask<T>(question: (client: Client, answer: Answer<T>) => void, drop: (late: T) => void): Promise<T> {
    if (this.#loss) throw this.#loss;
    const answer = new Promise<T>((resolve, reject) => {
      const refuse = (error: Error) => reject(new JoulebenchError("link", this.name, error.message, { cause: error }));
      try {
        question(this.#clients.at(-1)!, (error, value) => (error ? refuse(error) : resolve(value)));
      } catch (error) {
        refuse(error as Error); // Not connected any more, and `lost` is about to say so.
      }
    });
    return within(answer, this.#limit_s, this.name, drop);
  }
}
