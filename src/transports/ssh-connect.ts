import type { Readable } from "node:stream";
import ssh2, { type Client, type ClientErrorExtensions } from "ssh2";
import { JoulebenchError } from "../model/errors.ts";
import { within } from "./deadline.ts";
import { hostKeyAlgorithms, hostKeyProblem, readTrust, type Trust } from "./ssh-host-key.ts";
import { type Login, loginFor } from "./ssh-login.ts";
import { type Hop, hopsOf, nameOf, type SshOptions } from "./ssh-options.ts";

/** Unanswered keepalives after which ssh2 gives the link up; it needs one interval more than that. */
const KEEPALIVES = 3;
/** What sshd says when a login takes more tries than it allows (RFC 4253, 11.1). */
const TOO_MANY_TRIES = 2;

interface Step {
  readonly hop: Hop;
  /** The hops before it. */
  readonly by: readonly Hop[];
  readonly trust: Trust;
  readonly login: Login;
  readonly sock: Readable | undefined;
}

/**
 * Logs in to the device, through every host on the way.
 *
 * @returns its client and those of the hosts on the way, the device's last; ending the first ends all
 * @throws JoulebenchError `config` when a host's key is not trusted or we are not let in, `link` when one cannot be reached
 */
export async function connect(options: SshOptions): Promise<readonly Client[]> {
  const trust = await readTrust(options);
  const hops = hopsOf(options);
  const clients: Client[] = [];
  try {
    for (const [at, hop] of hops.entries()) {
      const login = await loginFor(hop, options, at === hops.length - 1);
      const before = clients.at(-1);
      const sock = before && (await within(tunnel(before, hops[at - 1]!, hop), options.connect_timeout_s, nameOf(hop)));
      clients.push(await logIn({ hop, by: hops.slice(0, at), trust, login, sock }, options));
    }
    return clients;
  } catch (error) {
    for (const client of clients) client.destroy();
    throw error;
  }
}

function logIn(step: Step, { connect_timeout_s, silence_s }: SshOptions): Promise<Client> {
  const { hop, by, trust, login, sock } = step;
  const client = new ssh2.Client();
  // Every channel and forward listens for the end.
  client.setMaxListeners(0);
  let problem: JoulebenchError | undefined;
  return new Promise<Client>((resolve, reject) => {
    const fail = (error: Error & ClientErrorExtensions): void => {
      // One key that cannot sign, or an agent that is gone: the next method is tried.
      if (error.level === "agent" || /^Error (while )?signing/.test(error.message)) return;
      reject(problem ?? failureOf(error, step));
      client.destroy();
    };
    client.on("error", fail);
    client.once("close", () => fail(new Error("the connection was closed")));
    client.once("ready", () => {
      // Else Nagle's algorithm holds every line back for the acknowledgement of the one before: 40 ms, one way only.
      client.setNoDelay(true);
      resolve(client);
    });
    client.connect({
      host: hop.host,
      port: hop.port,
      username: hop.user,
      ...(sock ? { sock } : {}),
      readyTimeout: connect_timeout_s * 1000,
      keepaliveInterval: (silence_s * 1000) / (KEEPALIVES + 1),
      keepaliveCountMax: KEEPALIVES,
      algorithms: { serverHostKey: hostKeyAlgorithms(trust.hosts, hop) },
      hostVerifier: (key: Buffer): boolean => {
        problem = hostKeyProblem(trust, hop, by, key);
        return problem === undefined;
      },
      authHandler: login.handler,
    });
  });
}

function failureOf(error: Error & ClientErrorExtensions & { code?: unknown }, { hop, login }: Step): JoulebenchError {
  const because = (kind: "config" | "link", message: string) => new JoulebenchError(kind, nameOf(hop), message, { cause: error });
  if (error.level === "client-authentication" || error.code === TOO_MANY_TRIES) return login.refusal(error);
  if (error.level === "client-timeout") return because("link", "it does not answer in time; is it up, and is sshd running there?");
  if (error.level === "handshake" && /no matching/i.test(error.message))
    return because("config", `${error.message}; use the transport \`openssh\`, which knows more of them`);
  if (error.level === "client-socket")
    return because("link", `cannot be reached: ${error.message}; is it up, is that its address, and does sshd run there?`);
  return because("link", `the login failed: ${error.message}`);
}

/** A connection from `before` to `hop`, to log in through. */
function tunnel(before: Client, from: Hop, hop: Hop): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new JoulebenchError("link", nameOf(hop), `cannot be reached from ${nameOf(from)}: ${error.message}`, { cause: error }));
    before.once("close", () => fail(new Error("the connection was closed")));
    before.forwardOut("127.0.0.1", 0, hop.host, hop.port, (error, stream) => (error ? fail(error) : resolve(stream)));
  });
}
