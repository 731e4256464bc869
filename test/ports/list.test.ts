import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { listSerialPorts } from "../../src/ports/list.ts";

let root: string;
let dev: string;
let sys: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "list-"));
  dev = join(root, "dev");
  sys = join(root, "sys");
  await mkdir(dev);
});
afterEach(() => rm(root, { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
}

/** A USB port as the kernel shows it: class/tty/NAME/device leads to a folder some levels below the USB device's. */
async function plug(name: string, usb: string, facts: Readonly<Record<string, string>>, below: string): Promise<void> {
  const device = join(sys, "devices/pci0000:00/usb1", usb);
  for (const [key, value] of Object.entries(facts)) await write(join(device, key), `${value}\n`);
  await mkdir(join(device, below), { recursive: true });
  await mkdir(join(sys, "class/tty", name), { recursive: true });
  await symlink(join(device, below), join(sys, "class/tty", name, "device"));
  await writeFile(join(dev, name), "");
}

it("reads USB facts and stable names, and puts ports that have those first", async () => {
  await plug("ttyUSB0", "1-1", { idVendor: "1a86", idProduct: "7523" }, "1-1:1.0/ttyUSB0");
  await plug("ttyUSB10", "1-2", { idVendor: "1a86", idProduct: "7523" }, "1-2:1.0/ttyUSB10");
  await plug("ttyUSB9", "1-3", { idVendor: "1a86", idProduct: "7523" }, "1-3:1.0/ttyUSB9");
  const uno = { idVendor: "2341", idProduct: "0043", manufacturer: "Arduino (www.arduino.cc)", serial: "85735313" };
  await plug("ttyACM0", "1-4", uno, "1-4:1.0");
  const byId = join(dev, "serial/by-id/usb-Arduino_85735313-if00");
  await mkdir(join(dev, "serial/by-id"), { recursive: true });
  await symlink("../../ttyACM0", byId);
  await symlink("../../ttyACM7", join(dev, "serial/by-id/usb-gone"));
  expect(await listSerialPorts(dev, sys)).toEqual([
    {
      path: join(dev, "ttyACM0"),
      byId,
      vendorId: "2341",
      productId: "0043",
      manufacturer: "Arduino (www.arduino.cc)",
      serialNumber: "85735313",
    },
    ...["ttyUSB0", "ttyUSB9", "ttyUSB10"].map((name) => ({ path: join(dev, name), vendorId: "1a86", productId: "7523" })),
  ]);
});

it("lists UARTs that have hardware, and no other terminals", async () => {
  for (const name of ["ttyS0", "ttyS1", "ttyAMA0", "tty1", "ttyprintk", "null"]) await write(join(dev, name), "");
  await write(join(sys, "class/tty/ttyS0/type"), "4\n");
  await write(join(sys, "class/tty/ttyS1/type"), "0\n");
  expect(await listSerialPorts(dev, sys)).toEqual([{ path: join(dev, "ttyAMA0") }, { path: join(dev, "ttyS0") }]);
});

it("finds nothing where there is nothing", async () => {
  expect(await listSerialPorts(join(root, "none"), join(root, "none"))).toEqual([]);
});
