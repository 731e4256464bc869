import { readdir, readFile, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A serial port of this machine. Rigs should name `byId ?? path`: `path` changes with the order of plugging in. */
export interface SerialPortInfo {
  readonly path: string;
  /** `/dev/serial/by-id/...`, the same for the same device wherever it is plugged in. */
  readonly byId?: string;
  readonly manufacturer?: string;
  readonly serialNumber?: string;
  /** USB ids, four hexadecimal digits. */
  readonly vendorId?: string;
  readonly productId?: string;
}

// USB serial adapters, USB CDC, then the UARTs of a PC, Raspberry Pi, Jetson and i.MX; last the names of macOS.
const SERIAL = /^(tty(USB|ACM|S|AMA|THS|TCU|mxc)\d+|cu\.usb.+)$/;
/** Port type 0 of the kernel's serial core: a reserved name without hardware. */
const NO_HARDWARE = "0";
/** A tty hangs a few directories below its USB device: interface, port, tty. */
const USB_DEPTH = 4;

/**
 * Finds the serial ports, those with a stable name first.
 *
 * Reads /dev and /sys itself: serialport's own list needs `udevadm`, which small images lack.
 */
export async function listSerialPorts(dev = "/dev", sys = "/sys"): Promise<readonly SerialPortInfo[]> {
  const stable = await stableNames(join(dev, "serial/by-id"));
  const names = (await entries(dev)).filter((name) => SERIAL.test(name));
  const found = await Promise.all(
    names.map(async (name): Promise<SerialPortInfo | undefined> => {
      const tty = join(sys, "class/tty", name);
      if ((await text(join(tty, "type"))) === NO_HARDWARE) return undefined;
      const byId = stable.get(name);
      return { path: join(dev, name), ...(byId && { byId }), ...(await usbFacts(join(tty, "device"))) };
    }),
  );
  const rank = (port: SerialPortInfo) => (port.byId ? 0 : port.vendorId ? 1 : 2);
  const order = new Intl.Collator("en", { numeric: true });
  return found.filter((port) => port !== undefined).sort((a, b) => rank(a) - rank(b) || order.compare(a.path, b.path));
}

/** Kernel name -> stable path. */
async function stableNames(folder: string): Promise<ReadonlyMap<string, string>> {
  const links = (await entries(folder)).map((name) => join(folder, name));
  const targets = await Promise.all(links.map((link) => realpath(link).catch(() => undefined)));
  return new Map(links.flatMap((link, i) => (targets[i] ? [[basename(targets[i]), link] as const] : [])));
}

async function usbFacts(device: string): Promise<Omit<SerialPortInfo, "path" | "byId">> {
  let folder = await realpath(device).catch(() => undefined);
  for (let depth = 0; folder && depth < USB_DEPTH; depth++, folder = dirname(folder)) {
    const vendorId = await text(join(folder, "idVendor"));
    if (!vendorId) continue;
    const [productId, manufacturer, serialNumber] = await Promise.all(
      ["idProduct", "manufacturer", "serial"].map((name) => text(join(folder as string, name))),
    );
    return { vendorId, ...(productId && { productId }), ...(manufacturer && { manufacturer }), ...(serialNumber && { serialNumber }) };
  }
  return {};
}

/** A folder or attribute that is not there says that the device does not have it. */
const entries = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
const text = (file: string): Promise<string | undefined> =>
  readFile(file, "utf8").then(
    (content) => content.trim() || undefined,
    () => undefined,
  );
