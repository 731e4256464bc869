import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Devices that stand ready below this folder. */
export type Tree = "jetson" | "pi";

/** Login names by their shell, all of them the user who runs the tests. */
export const LOGINS = { bench: "/bin/bash", "bench-dash": "/bin/dash", "bench-mksh": "/bin/mksh", "bench-busybox": "shells/ash" } as const;

/** crypt(3) of the password "bench" with SHA-512 and the salt "joulebench". */
const PASSWORD = "$6$joulebench$xkaBUSdjrwqk1sokdwfJUtpw5LvV4JKdEx2VPBmoAjARjwUeE2nXidlz0hiVZVZaffjFGVvrhGiIyGp6nLsbQ0";

/** Lays the files of a device out below `root`: `sys`, `etc`, and its commands in `bin`. */
export function layOut(tree: Tree, root: string): void {
  const source = fileURLToPath(new URL(`./${tree}/`, import.meta.url));
  for (const line of readFileSync(join(source, "files.txt"), "utf8").split("\n")) {
    const [, path = "", separator, value = ""] = /^([^#].*?)(: | -> )(.*)$/.exec(line) ?? [];
    if (!separator) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (separator === " -> ") symlinkSync(value, join(root, path));
    else writeFileSync(join(root, path), contentOf(value));
  }
  cpSync(join(source, "bin"), join(root, "bin"), { recursive: true });
}

function contentOf(value: string): string {
  const text = value.replaceAll("\\n", "\n").replaceAll("\\0", "\0");
  return text.endsWith("\0") ? text : `${text}\n`;
}

/** Accounts of the device, whose files lie in `folder`: those of this machine and {@link LOGINS}. */
export function layOutAccounts(root: string, folder: string): void {
  const { uid, gid } = { uid: process.getuid!(), gid: process.getgid!() };
  const passwd = Object.entries(LOGINS).map(
    ([name, shell]) => `${name}:x:${uid}:${gid}::${join(folder, "home")}:${resolve(folder, shell)}`,
  );
  const shadow = ["root:*", "sshd:*", ...Object.keys(LOGINS).map((name) => `${name}:${PASSWORD}`)].map(
    (each) => `${each}:20000:0:99999:7:::`,
  );
  mkdirSync(join(root, "etc"), { recursive: true });
  writeFileSync(join(root, "etc/passwd"), `${readFileSync("/etc/passwd", "utf8").trimEnd()}\n${passwd.join("\n")}\n`);
  writeFileSync(join(root, "etc/shadow"), `${shadow.join("\n")}\n`);
  chmodSync(join(root, "etc/shadow"), 0o600);
}
