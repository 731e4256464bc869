import { createHash, createHmac } from "node:crypto";

/** One line of a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
export interface KnownHost {
  readonly marker: "@revoked" | "@cert-authority" | undefined;
  /** As it stands there: patterns between commas, or one hashed name. */
  readonly names: string;
  readonly type: string;
  /** The key in base64, as it stands there. */
  readonly key: string;
  /** `<file>:<line>`. */
  readonly where: string;
}

/** What known_hosts files say about a key that a host shows. `at` is the line that says it. */
export type Verdict =
  | { readonly is: "known" }
  /** `authority`: only such are known for it, whose certificates we cannot check. */
  | { readonly is: "changed" | "revoked" | "authority"; readonly at: KnownHost }
  | { readonly is: "unknown" };

/** Reads the lines of a known_hosts file; lines that are none are passed over, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split("\n").flatMap((line, at) => {
    const fields = line.trim().split(/\s+/);
    const marker = fields[0]?.startsWith("@") ? fields.shift() : undefined;
    const [names, type, key] = fields;
    if (!names || names.startsWith("#") || !type || !key) return [];
    if (marker !== undefined && marker !== "@revoked" && marker !== "@cert-authority") return [];
    return [{ marker, names, type, key, where: `${file}:${at + 1}` }];
  });
}

/** The name under which known_hosts files keep a host: a port other than 22 belongs to it. */
export const knownName = (host: string, port: number): string => (port === 22 ? host : `[${host}]:${port}`).toLowerCase();

/** Judges a key. What is known without a port holds for any port on which nothing else is known, as in OpenSSH. */
export function judge(hosts: readonly KnownHost[], host: string, port: number, key: Buffer): Verdict {
  const about = entriesFor(hosts, host, port);
  const shown = key.toString("base64");
  const same = (entry: KnownHost): boolean => entry.key === shown;
  const find = (marker: KnownHost["marker"], matches: (entry: KnownHost) => boolean) =>
    about.find((entry) => entry.marker === marker && matches(entry));
  const revoked = find("@revoked", same);
  if (revoked) return { is: "revoked", at: revoked };
  if (find(undefined, same)) return { is: "known" };
  const other = find(undefined, () => true);
  if (other) return { is: "changed", at: other };
  const authority = find("@cert-authority", () => true);
  return authority ? { is: "authority", at: authority } : { is: "unknown" };
}

/** Types of the keys known for a host, for the order in which they are asked for: a key of a type not known proves nothing. */
export function knownTypes(hosts: readonly KnownHost[], host: string, port: number): string[] {
  return entriesFor(hosts, host, port).flatMap(({ marker, type }) => (marker === undefined ? [type] : []));
}

/** The way OpenSSH shows a key: SHA-256 in base64 without padding. */
export const fingerprint = (key: Buffer): string => `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

function entriesFor(hosts: readonly KnownHost[], host: string, port: number): KnownHost[] {
  const named = (name: string): KnownHost[] => hosts.filter(({ names }) => isNamed(names, name));
  const exact = named(knownName(host, port));
  const isKnown = exact.some(({ marker }) => marker === undefined);
  return port === 22 || isKnown ? exact : [...exact, ...named(host.toLowerCase())];
}

function isNamed(names: string, name: string): boolean {
  if (names.startsWith("|")) return isHashOf(names, name);
  const patterns = names.toLowerCase().split(",");
  const matches = (pattern: string): boolean => wildcard(pattern).test(name);
  return !patterns.some((each) => each.startsWith("!") && matches(each.slice(1))) && patterns.some(matches);
}

/** `|1|salt|hash`: HMAC-SHA1 of the name, keyed with the salt. */
function isHashOf(hashed: string, name: string): boolean {
  const [, version, salt = "", hash] = hashed.split("|");
  return version === "1" && createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
}

/** `*` stands for any characters, `?` for one; brackets are of the name. */
function wildcard(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s");
}
