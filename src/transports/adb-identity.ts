import { JoulebenchError } from "../model/errors.ts";
import type { Finished, Identity } from "../model/transport.ts";

/** What Android calls it, the first one that is not empty. */
const PROPERTIES = {
  serial: ["ro.serialno", "ro.boot.serialno"],
  manufacturer: ["ro.product.manufacturer"],
  model: ["ro.product.model"],
  soc: ["ro.soc.model", "ro.board.platform", "ro.hardware"],
  os_build: ["ro.build.fingerprint"],
  sdk: ["ro.build.version.sdk"],
  machine: ["ro.product.cpu.abi"],
} as const;

/** Every property as a line `[name]: [value]`, then the boot; one process tells all of them. */
const SCRIPT = `getprop; printf '[boot_id]: [%s]\\n' "$(cat /proc/sys/kernel/random/boot_id)"`;

/** The command whose output {@link identityFrom} reads. */
export const IDENTITY_COMMAND: readonly string[] = ["sh", "-c", SCRIPT];

/**
 * Who answered, by whatever way.
 *
 * @throws JoulebenchError `link` when the answer is none
 */
export function identityFrom({ output, code, complaint }: Finished, subject: string): Identity {
  const said = new Map([...output.matchAll(/^\[(.+?)\]: \[(.*)\]$/gm)].map(([, name = "", value = ""]) => [name, value]));
  const value = (name: string): string | undefined => said.get(name)?.trim() || undefined;
  const identity: Record<string, string> = { transport: "adb" };
  for (const [key, names] of [...Object.entries(PROPERTIES), ["boot_id", ["boot_id"]] as const]) {
    const found = names.map(value).find(Boolean);
    if (found) identity[key] = found;
  }
  if (identity.serial) return identity;
  throw new JoulebenchError("link", subject, `does not say who it is (exit code ${code}): ${complaint || output.slice(0, 200)}`);
}
