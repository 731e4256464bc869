import { JoulebenchError } from "../model/errors.ts";
import type { Finished, Identity } from "../model/transport.ts";

/** Asks one shell for all of it: a line `key<TAB>value` for whatever can be read there. */
const SCRIPT = `
say() { [ -n "$2" ] && printf '%s\\t%s\\n' "$1" "$2"; }
file() { value=; { IFS= read -r value <"$2"; } 2>/dev/null; say "$1" "$value"; }
tree=/sys/firmware/devicetree/base
say hostname "$(uname -n)"
say kernel "$(uname -sr)"
say machine "$(uname -m)"
file boot_id /proc/sys/kernel/random/boot_id
file tree_serial $tree/serial-number
file tree_model $tree/model
[ -r $tree/compatible ] && say compatible "$(tr '\\0' ',' <$tree/compatible)"
file dmi_serial /sys/class/dmi/id/product_serial
file dmi_vendor /sys/class/dmi/id/sys_vendor
file dmi_product /sys/class/dmi/id/product_name
file machine_id /etc/machine-id
file l4t /etc/nv_tegra_release
if [ -r /etc/os-release ]; then . /etc/os-release; say os "$PRETTY_NAME"; fi
exit 0
`;

/** The command whose output {@link identityFrom} reads. */
export const IDENTITY_COMMAND: readonly string[] = ["sh", "-c", SCRIPT];

/** What makers write where they should have written a serial number. */
const NO_SERIAL = /^(|none|0+|default string|system serial number|not specified|to be filled by o\.e\.m\.)$/i;

/**
 * Who answered. `serial` is that of the board where it has one, else the id of its installation, else its host name.
 *
 * @throws JoulebenchError `link` when the answer is none
 */
export function identityFrom({ output, code, complaint }: Finished, transport: string, subject: string): Identity {
  const said = new Map(output.split("\n").map((line) => line.split("\t") as [string, string | undefined]));
  const first = (...keys: string[]) => keys.map((key) => said.get(key)?.trim()).find((each) => each && !NO_SERIAL.test(each));
  const hostname = said.get("hostname");
  if (!hostname)
    throw new JoulebenchError("link", subject, `does not say who it is (exit code ${code}): ${complaint || output.slice(0, 200)}`);
  const dmi = [first("dmi_vendor"), first("dmi_product")].filter(Boolean).join(" ");
  const found = {
    serial: first("tree_serial", "dmi_serial", "machine_id") ?? hostname,
    hostname,
    model: first("tree_model") ?? dmi,
    // The last one is the chip: nvidia,tegra234 or brcm,bcm2712.
    soc: said.get("compatible")?.split(",").filter(Boolean).slice(-2).join(","),
    os_build: [first("os"), l4t(first("l4t"))].filter(Boolean).join(", "),
    kernel: first("kernel"),
    machine: first("machine"),
    boot_id: first("boot_id"),
  };
  const known = Object.entries(found).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return { transport, ...Object.fromEntries(known) };
}

/** `# R36 (release), REVISION: 4.3, …` as NVIDIA writes it elsewhere: L4T 36.4.3. */
function l4t(release: string | undefined): string | undefined {
  const [, major, revision] = /R(\d+).*?REVISION: ([\d.]+)/.exec(release ?? "") ?? [];
  return major && `L4T ${major}.${revision}`;
}
