import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { JoulebenchError } from "../model/errors.ts";
import { fingerprint, judge, type KnownHost, knownName, knownTypes, parseKnownHosts, type Verdict } from "./known-hosts.ts";
import { atHome, type Hop, nameOf, type SshOptions } from "./ssh-options.ts";

const SYSTEM = "/etc/ssh/ssh_known_hosts";

/** In the order of preference that ssh2 has: OpenSSH's own. */
const ALGORITHMS = [
  ...["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"],
  ...["rsa-sha2-512", "rsa-sha2-256"],
] as const;

/** Which host keys are trusted, and the file into which new ones belong. */
export interface Trust {
  readonly hosts: readonly KnownHost[];
  readonly file: string;
}

/** Every key of the files the options name, or of the usual ones. @throws JoulebenchError `config` when a named file cannot be read */
export async function readTrust({ host, known_hosts }: SshOptions): Promise<Trust> {
  const files = known_hosts?.map(atHome) ?? [join(homedir(), ".ssh/known_hosts"), SYSTEM];
  const read = files.map(async (file) => {
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (known_hosts === undefined && error.code === "ENOENT") return "";
      throw new JoulebenchError("config", host, `cannot read known_hosts ${file}: ${error.message}`, { cause: error });
    });
    return parseKnownHosts(text, file);
  });
  return { hosts: (await Promise.all(read)).flat(), file: files[0]! };
}

/** Algorithms to ask a host for: first those whose keys are known, or it might show a key of another type. */
export function hostKeyAlgorithms(hosts: readonly KnownHost[], { host, port }: Hop): (typeof ALGORITHMS)[number][] {
  const types = new Set(knownTypes(hosts, host, port));
  const isKnown = (algorithm: string): boolean => types.has(algorithm.startsWith("rsa-") ? "ssh-rsa" : algorithm);
  return [...ALGORITHMS.filter(isKnown), ...ALGORITHMS.filter((each) => !isKnown(each))];
}

/**
 * Why the key that a host shows must not be trusted, with what to do about it; undefined when it is the known one.
 *
 * @param by hops before this one, through which `ssh` must go to see its key
 */
export function hostKeyProblem({ hosts, file }: Trust, hop: Hop, by: readonly Hop[], key: Buffer): JoulebenchError | undefined {
  const verdict = judge(hosts, hop.host, hop.port, key);
  if (verdict.is === "known") return undefined;
  const shown = `${typeOf(key)} key ${fingerprint(key)}`;
  return new JoulebenchError(
    "config",
    nameOf(hop),
    problemOf(verdict, shown, knownName(hop.host, hop.port), learnLine(file, hop, by, key)),
  );
}

function problemOf(verdict: Exclude<Verdict, { is: "known" }>, shown: string, name: string, learn: string): string {
  switch (verdict.is) {
    case "unknown":
      return `its host key is not known; it shows the ${shown}. Compare that with what the device says (ssh-keygen -lf on its /etc/ssh/ssh_host_*_key.pub), then run: ${learn}`;
    case "changed":
      return `its host key is not the one at ${verdict.at.where}: it shows the ${shown}. Another machine may be answering. If the device was set up anew, run: ssh-keygen -R '${name}' -f ${verdict.at.where.replace(/:\d+$/, "")}; then: ${learn}`;
    case "revoked":
      return `its ${shown} is revoked at ${verdict.at.where}; give the device a new host key`;
    case "authority":
      return `only a certificate authority is known for it (${verdict.at.where}), and certificates cannot be checked here; use the transport \`openssh\`, or add its key, the ${shown}: ${learn}`;
  }
}

/** The command that writes a host's key into a file of known hosts; behind other hosts only a login shows it. */
function learnLine(file: string, { host, port, user }: Hop, by: readonly Hop[], key: Buffer): string {
  const at = port === 22 ? "" : `-p ${port} `;
  if (by.length > 0) return `ssh -o UserKnownHostsFile=${file} -J ${by.map(nameOf).join(",")} ${at}${user}@${host} true`;
  const type = { "ssh-ed25519": "ed25519", "ssh-rsa": "rsa" }[typeOf(key)] ?? "ecdsa";
  return `ssh-keyscan ${at}-t ${type} ${host} >> ${file}`;
}

/** A public key begins with its type: a length of 4 bytes and that many characters (RFC 4253, 6.6). */
const typeOf = (key: Buffer): string => key.subarray(4, 4 + key.readUInt32BE(0)).toString("latin1");
