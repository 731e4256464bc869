import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import ssh2, { type AnyAuthMethod, type AuthenticationType, type AuthHandlerMiddleware, type ParsedKey } from "ssh2";
import { JoulebenchError } from "../model/errors.ts";
import { type Hop, nameOf, type SshOptions } from "./ssh-options.ts";

const DEFAULT_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

interface Offer {
  /** What it is, for the message when all of them are refused. */
  readonly name: string;
  readonly method: AnyAuthMethod;
}

/** What we have to show to one host, in the order in which it is shown. */
export class Login {
  readonly #hop: Hop;
  readonly #offers: readonly Offer[];
  /** Keys that could not be offered, and why. */
  readonly #withheld: readonly string[];
  #accepted: readonly AuthenticationType[] = [];
  #next = 0;

  constructor(hop: Hop, offers: readonly Offer[], withheld: readonly string[]) {
    this.#hop = hop;
    this.#offers = offers;
    this.#withheld = withheld;
  }

  /** Gives ssh2 one method after the other, then none. */
  readonly handler: AuthHandlerMiddleware = (accepted, _isPartial, next) => {
    // The first time nothing is known; an offer of nothing makes the host say what it accepts.
    if (accepted === null) return next("none");
    this.#accepted = accepted;
    const offer = this.#offers[this.#next++];
    // `false` ends the login: its types do not know it.
    next(offer?.method ?? (false as unknown as AuthenticationType));
  };

  /** Why the host did not let us in, and what to do. */
  refusal(cause: Error): JoulebenchError {
    const { host, port, user } = this.#hop;
    const offered = this.#offers.map(({ name }) => name).join(", ") || "nothing: there was no key to offer";
    const asks = this.#accepted.some((each) => each === "password" || each === "keyboard-interactive");
    const at = port === 22 ? "" : `-p ${port} `;
    const message = [
      `it does not let ${user} in (${cause.message}). Offered: ${offered}`,
      ...this.#withheld,
      this.#accepted.length > 0 && `it accepts: ${this.#accepted.join(", ")}`,
      asks && "questions of the host are never answered: use a key, or `password_env` where it accepts password",
      `to let your key in, run: ssh-copy-id ${at}${user}@${host}`,
    ];
    return new JoulebenchError("config", nameOf(this.#hop), message.filter(Boolean).join("; "), { cause });
  }
}

/**
 * Gathers what can be shown to `hop`: its key and nothing else where one is named, else the agent's keys and the usual
 * files; then, on the device itself, the password.
 *
 * @throws JoulebenchError `config` for a key or a variable that is named and cannot be used
 */
export async function loginFor(hop: Hop, options: SshOptions, isDevice: boolean): Promise<Login> {
  const passphrase = variable(hop, "passphrase_env", options.passphrase_env);
  const password = isDevice ? variable(hop, "password_env", options.password_env) : undefined;
  const withheld: string[] = [];
  const offers: Offer[] = [];
  const { SSH_AUTH_SOCK: agent } = process.env;
  if (hop.key) offers.push(offerOf(hop, hop.key, await namedKey(hop, hop.key, passphrase)));
  else if (options.agent && agent) offers.push({ name: "the agent's keys", method: { type: "agent", username: hop.user, agent } });
  for (const name of hop.key ? [] : DEFAULT_KEYS) {
    const path = join(homedir(), ".ssh", name);
    const text = await readFile(path).catch(() => undefined);
    const key = text && parse(text, passphrase);
    if (key instanceof Error) withheld.push(`not offered: ${path} (${key.message}; see \`passphrase_env\`, or: ssh-add ${path})`);
    else if (key) offers.push(offerOf(hop, path, key));
  }
  if (password !== undefined)
    offers.push({ name: `the password in ${options.password_env}`, method: { type: "password", username: hop.user, password } });
  return new Login(hop, offers, withheld);
}

const offerOf = ({ user: username }: Hop, path: string, key: ParsedKey): Offer => ({
  name: `${path} (${key.type})`,
  method: { type: "publickey", username, key },
});

async function namedKey(hop: Hop, path: string, passphrase: string | undefined): Promise<ParsedKey> {
  const refuse = (why: string) => new JoulebenchError("config", nameOf(hop), `cannot use the key ${path}: ${why}`);
  const text = await readFile(path).catch((error: Error) => {
    throw refuse(error.message);
  });
  const key = parse(text, passphrase);
  if (!(key instanceof Error)) return key;
  if (!/encrypted/i.test(key.message)) throw refuse(key.message);
  throw refuse(
    "it is encrypted; name the environment variable with its passphrase in `passphrase_env`, or run ssh-add and leave `key` out",
  );
}

function parse(text: Buffer, passphrase: string | undefined): ParsedKey | Error {
  const key = ssh2.utils.parseKey(text, passphrase);
  if (key instanceof Error) return key;
  // Files of OpenSSH may hold several by their format, and hold one.
  const [only] = [key].flat();
  return only?.isPrivateKey() ? only : new Error("it is no private key");
}

function variable(hop: Hop, option: string, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const value = process.env[name];
  if (value === undefined) throw new JoulebenchError("config", nameOf(hop), `${option}: the environment has no variable ${name}`);
  return value;
}
