import { z } from "zod";
import { atHome } from "./ssh-options.ts";

export const OpensshOptions = z.strictObject({
  host: z
    .string()
    .regex(/^[^-]/, "expected a name, which cannot begin with a dash")
    .describe("Name, address or `Host` alias of ssh_config"),
  port: z.int().min(1).max(65535).optional().describe("By default what ssh_config says"),
  user: z.string().min(1).optional().describe("Login name; by default what ssh_config says"),
  key: z.string().min(1).optional().describe("Private key file, before those of ssh_config"),
  config: z.string().min(1).optional().describe("Configuration file, instead of ~/.ssh/config; `none` for none"),
  options: z.array(z.string().min(1)).optional().describe("Further options of ssh_config, such as `ProxyJump=gate`"),
  multiplex: z.boolean().default(true).describe("One connection for all commands; false for hosts that allow one session each"),
  program: z.string().min(1).default("ssh").describe("The client to run"),
  connect_timeout_s: z.int().min(1).max(600).default(10).describe("A host that takes longer counts as not reachable"),
  silence_s: z.int().min(3).max(3600).default(15).describe("The link is lost after this long without an answer to keepalives"),
});

export type OpensshOptions = z.infer<typeof OpensshOptions>;

/** Unanswered keepalives after which ssh gives the link up. */
const KEEPALIVES = 3;

/**
 * Settings that go before all others, because ssh takes the first value it is given; then the rig's own.
 *
 * @param socket where the shared connection is reached; none for a connection of its own
 */
export function settingsOf(options: OpensshOptions, socket: string | undefined): string[] {
  const { connect_timeout_s, silence_s, port, user } = options;
  return [
    ...["BatchMode=yes", "LogLevel=INFO", "RequestTTY=no", "RemoteCommand=none", "ControlPersist=no", "ForwardX11=no"],
    `ControlPath=${socket ?? "none"}`,
    ...[
      `ConnectTimeout=${connect_timeout_s}`,
      `ServerAliveInterval=${Math.ceil(silence_s / KEEPALIVES)}`,
      `ServerAliveCountMax=${KEEPALIVES}`,
    ],
    ...(options.options ?? []),
    ...(port === undefined ? [] : [`Port=${port}`]),
    ...(user === undefined ? [] : [`User=${user}`]),
  ];
}

/** What makes a client share the connection: it has no way of its own, or it would make one where the shared one is lost. */
export const SHARING = ["ControlMaster=no", "ProxyCommand=false"];

/** What makes a client the shared connection: it says that it is up. */
export const SHARED = ["ControlMaster=yes", "PermitLocalCommand=yes", "LocalCommand=echo up"];

/** Files that ssh and sftp are to use. */
export const filesOf = ({ config, key }: OpensshOptions): string[] => [
  ...(config === undefined ? [] : ["-F", config === "none" ? config : atHome(config)]),
  ...(key === undefined ? [] : ["-i", atHome(key)]),
];
