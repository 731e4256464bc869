import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDevices } from "../../src/transports/adb-devices.ts";
import { AdbServer } from "../adbd/adb-server.ts";
import { type Phone, startPhone } from "../adbd/phone.ts";
import { openAdb, optionsFor } from "./adb-bench.ts";

const problem = (kind: "config" | "link", message: RegExp) => ({ kind, message: expect.stringMatching(message) });

test("a list of devices, as adb prints it, has their states", () => {
  const text = [
    "41090DLJH0014B         device usb:1-2 product:shiba model:Pixel_8 device:shiba transport_id:3",
    "192.168.1.20:5555      offline transport_id:4",
    "R58M123ABC             unauthorized usb:3-1.4 transport_id:12",
    "0123456789ABCDEF       no permissions (user in plugdev group; are your udev rules wrong?); see [http://developer.android.com/tools/device.html] usb:1-1 transport_id:1",
    "",
  ].join("\n");
  expect(parseDevices(text)).toEqual([
    { serial: "41090DLJH0014B", state: "device", model: "Pixel_8", transportId: 3n },
    { serial: "192.168.1.20:5555", state: "offline", model: undefined, transportId: 4n },
    { serial: "R58M123ABC", state: "unauthorized", model: undefined, transportId: 12n },
    { serial: "0123456789ABCDEF", state: expect.stringMatching(/^no permissions \(user in plugdev/), model: undefined, transportId: 1n },
  ]);
});

describe("without a device", () => {
  let server: AdbServer;
  beforeAll(async () => {
    server = await AdbServer.create();
  });
  afterAll(() => server?.close());
  const options = (more: object = {}) => ({ server_port: server.port, adb: server.path, answer_timeout_s: 1, ...more });

  test("a program that is not there is to be installed", async () => {
    await expect(openAdb(options({ adb: "no-such-adb-4711" }))).rejects.toMatchObject(
      problem("config", /^no-such-adb-4711: .*install.*`adb:`/),
    );
    await expect(openAdb(options({ adb: "/etc/passwd" }))).rejects.toMatchObject(problem("config", /not executable/));
    expect(server.pid()).toBeUndefined();
  });

  test("a server that does not start says why", async () => {
    await expect(openAdb(options({ adb: "/bin/false" }))).rejects.toMatchObject(
      problem("link", /server does not start.*start-server` shows more/),
    );
  });

  test("a port on which something else listens is not asked to be a server", async () => {
    const other = createServer((socket) =>
      socket.on("error", () => undefined).on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    );
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    await expect(openAdb(options({ server_port: port }))).rejects.toMatchObject(
      problem("config", new RegExp(`port ${port}: .*no adb server`)),
    );
    other.close();
  });

  test("the server is started, and what to do about the device is said", async () => {
    await expect(openAdb(options())).rejects.toMatchObject(problem("config", /no device is connected; .*USB debugging/));
    expect(server.pid()).toBeGreaterThan(0);
    await expect(openAdb(options({ serial: "R58M123ABC" }))).rejects.toMatchObject(
      problem("config", /^R58M123ABC: there is no such device, none/),
    );
  });

  test("an address at which nobody answers is no mistake of the rig", async () => {
    await expect(openAdb(options({ serial: "127.0.0.1:1" }))).rejects.toMatchObject(
      problem("link", /^127\.0\.0\.1:1: cannot be reached: .*refused/),
    );
  });
});

describe("with several devices", () => {
  let phone: Phone;
  let other: Phone;
  beforeAll(async () => {
    phone = await startPhone();
    other = await startPhone({ link: "cable", server: phone.server, asksForKeys: true, properties: { "ro.serialno": "R58M123ABC" } });
    await phone.server.adb("connect", phone.serial);
  });
  afterAll(async () => {
    await other?.close();
    await phone?.close();
  });

  test("the rig has to say which", async () => {
    const message = new RegExp(`several devices.*\`serial:\`.*${phone.serial} \\(Pixel_8, device\\)`);
    await expect(openAdb(optionsFor(phone, { serial: undefined }))).rejects.toMatchObject(problem("config", message));
    await expect(openAdb(optionsFor(phone, { serial: "ABC", answer_timeout_s: 1 }))).rejects.toMatchObject(
      problem("config", new RegExp(`^ABC: there is no such device, connected are .*${other.serial}`)),
    );
    expect((await (await openAdb(optionsFor(phone))).identity()).serial).toBe("41090DLJH0014B");
  });

  test("one that does not trust this computer is asked to, once", async () => {
    await expect(openAdb(optionsFor(other))).rejects.toMatchObject(problem("config", /accept the key on the phone's screen/));
    other.accept();
    await expect
      .poll(async () => (await openAdb(optionsFor(other)).catch(() => undefined))?.identity())
      .toMatchObject({ serial: "R58M123ABC" });
    other.dropTransports();
    await other.vanish();
    await other.return();
    expect((await (await openAdb(optionsFor(other))).identity()).serial).toBe("R58M123ABC");
    expect(other.adbd.waiting.size).toBe(0);
  });
});

test("the only device needs no name, and one with an old shell is refused", async () => {
  const phone = await startPhone({ link: "cable", features: ["cmd", "stat_v2"] });
  await expect(openAdb(optionsFor(phone, { serial: undefined }))).rejects.toMatchObject(
    problem("config", new RegExp(`^${phone.serial}: .*no shell v2.*Android 7`)),
  );
  await phone.close();
});

test("a device that is silent from the first is not waited for without end", async () => {
  const phone = await startPhone();
  phone.freeze();
  await expect(openAdb(optionsFor(phone, { answer_timeout_s: 1 }))).rejects.toMatchObject(
    problem("link", new RegExp(`^${phone.serial}: `)),
  );
  phone.thaw();
  await phone.close();
});
