import { JoulebenchError } from "../model/errors.ts";
import { settlesWithin } from "./deadline.ts";
import { OpensshClient, type Started } from "./openssh-client.ts";
import type { OpensshOptions } from "./openssh-options.ts";

/** How long after a client of the shared connection the connection itself may end. */
const TOGETHER_MS = 500;
const ASIDE_LENGTH = 4096;

/** The way to the device: a shared connection, or a client for each command. It never comes back once it is lost. */
export class OpensshLink {
  readonly client: OpensshClient;
  readonly #shared: Started | undefined;
  #loss: JoulebenchError | undefined;
  readonly #lost: Promise<unknown>;

  private constructor(client: OpensshClient, shared: Started | undefined) {
    this.client = client;
    this.#shared = shared;
    this.#lost = shared ? this.#watch(shared) : new Promise(() => undefined);
  }

  /** @throws JoulebenchError `config` when ssh is refused or missing, `link` when the device cannot be reached */
  static async open(options: OpensshOptions): Promise<OpensshLink> {
    const client = await OpensshClient.create(options);
    try {
      const shared = options.multiplex ? await untilUp(client, options) : undefined;
      return new OpensshLink(client, shared);
    } catch (error) {
      await client.remove();
      throw error;
    }
  }

  get name(): string {
    return this.client.name;
  }

  /** Why it is lost; undefined while it is not known to be. */
  get loss(): JoulebenchError | undefined {
    return this.#loss;
  }

  /** Why a client has ended that has no exit code to tell; undefined when its command was ended. @param aside its own words on standard error */
  async failure(started: Started, aside: string): Promise<JoulebenchError | undefined> {
    if (this.#shared && !this.#loss) await settlesWithin(this.#lost, TOGETHER_MS);
    return this.#loss ?? this.client.failure(started, aside);
  }

  async close(): Promise<void> {
    this.#loss ??= new JoulebenchError("link", this.name, "the link was closed");
    this.#shared?.child.kill("SIGKILL");
    if (this.#shared) await this.#lost;
    await this.client.remove();
  }

  async #watch(shared: Started): Promise<void> {
    const said = asideOf(shared);
    await ended(shared);
    const why = (await this.client.failure(shared, said()))?.message ?? `${this.name}: ssh says nothing`;
    this.#loss ??= new JoulebenchError("link", this.name, `the link is lost: ${why.slice(this.name.length + 2)}`);
  }
}

/** Waits for the shared connection to be up. @throws JoulebenchError as ssh says, or `link` when it takes too long */
async function untilUp(client: OpensshClient, { connect_timeout_s }: OpensshOptions): Promise<Started> {
  const shared = await client.share();
  const { child } = shared;
  child.stdin.on("error", () => undefined);
  const said = asideOf(shared);
  const end = ended(shared);
  const up = new Promise((resolve) => child.stdout.once("data", () => resolve(true)));
  const isUp = await settlesWithin(Promise.race([up, end]), connect_timeout_s * 1000);
  if (isUp && child.exitCode === null && child.signalCode === null) return shared;
  child.kill("SIGKILL");
  await end;
  const silent = new JoulebenchError(
    "link",
    client.name,
    `it does not let us in within ${connect_timeout_s} s; is it up, and is sshd running there?`,
  );
  throw (await client.failure(shared, said())) ?? silent;
}

/** What a client says on standard error from now on, the end of it. */
function asideOf({ child }: Started): () => string {
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk).slice(-ASIDE_LENGTH);
  });
  return () => said;
}

const ended = ({ child }: Started): Promise<void> => new Promise((resolve) => child.once("close", () => resolve()));
