import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const Host = z.string().min(1).describe("Name or address; aliases of ssh_config are for the transport `openssh`");
const Port = z.int().min(1).max(65535).default(22).describe("Where its sshd listens");
const User = z.string().min(1).optional().describe("Login name; by default yours on this machine");
const Key = z.string().min(1).optional().describe("Private key file; by default ~/.ssh/id_ed25519, id_ecdsa and id_rsa, and the agent");

const Jump = z.strictObject({ host: Host, port: Port, user: User, key: Key });

export const SshOptions = z.strictObject({
  host: Host,
  port: Port,
  user: User,
  key: Key,
  known_hosts: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Files of host keys; by default ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts"),
  agent: z.boolean().default(true).describe("Ask the agent at SSH_AUTH_SOCK for keys; not where `key` is given"),
  jump: z.array(Jump).min(1).optional().describe("Hosts on the way, each reached through the one before"),
  password_env: z.string().min(1).optional().describe("Environment variable that holds the password of `user`"),
  passphrase_env: z.string().min(1).optional().describe("Environment variable that holds the passphrase of encrypted keys"),
  connect_timeout_s: z.number().positive().max(600).default(10).describe("A host that takes longer counts as not reachable"),
  silence_s: z.number().min(1).max(3600).default(15).describe("The link is lost after this long without an answer to keepalives"),
});

export type SshOptions = z.infer<typeof SshOptions>;

/** One host to log in to: the device, or one on the way. */
export interface Hop {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly key: string | undefined;
}

/** Every login in its order; the last one is the device. */
export function hopsOf({ jump = [], ...device }: SshOptions): readonly Hop[] {
  return [...jump, device].map(({ host, port, user, key }) => ({ host, port, user: user ?? userInfo().username, key: key && atHome(key) }));
}

/** `user@host`, with the port where it is not 22: how messages name a hop. */
export const nameOf = ({ user, host, port }: Hop): string => `${user}@${host}${port === 22 ? "" : `:${port}`}`;

/** A path as given, `~` being your home. */
export const atHome = (path: string): string => (path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path);
