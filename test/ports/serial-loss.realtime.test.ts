import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import type { Port } from "../../src/model/port.ts";
import { openSerial } from "../../src/ports/serial.ts";
import { descriptorsOn, idleCost, type Pty, startCable, startPty } from "./pty.ts";
import { drain, firstWrong, now, rejection, settled, signal, take, within } from "./reading.ts";

/** Loss is noticed within this time. */
const NOTICED_MS = 1000;
const OBSERVED_MS = 1000;
const MOST_CPU = 0.2;
const MOST_GROWTH_BYTES = 4 << 20;

const open = (path: string) => openSerial({ path, baud: 1_000_000, now });

let device: Pty;
let port: Port;
beforeEach(async () => {
  device = await startPty();
  port = await open(device.path);
});
afterEach(async () => {
  await within(NOTICED_MS, port.close());
  await device.stop();
});

/** Nothing of the port is left: no descriptor, no work, and its answers say that the device is gone. */
async function expectGone(): Promise<void> {
  const cost = await idleCost(OBSERVED_MS);
  expect(cost.cpu).toBeLessThan(MOST_CPU);
  expect(cost.growth_bytes).toBeLessThan(MOST_GROWTH_BYTES);
  expect(await descriptorsOn(device.path)).toBe(0);
  expect(await rejection(port.write(new Uint8Array(1)))).toMatchObject({ kind: "link", message: expect.stringContaining("vanished") });
  expect(await drain(port)).toMatchObject({ kind: "link" }); // who asks later hears it too
}

it.each([
  ["as fast as they are read", 0],
  ["at 400 kB/s", 400_000],
  ["at 20 kB/s", 20_000],
])("ends when the device is unplugged while bytes flow %s", async (_, rate) => {
  let received = 0;
  let wrong = 0;
  const flowing = signal();
  const end = drain(port, ({ bytes }) => {
    if (firstWrong(bytes, received) >= 0) wrong++;
    received += bytes.length;
    if (received > 10_000) flowing.give();
  });
  device.tell(`stream ${rate}`);
  await within(5000, flowing.given);
  expect(await device.ask("hangup")).toBe("hung");
  expect(await within(NOTICED_MS, end)).toMatchObject({
    kind: "link",
    subject: device.path,
    message: expect.stringContaining("vanished while reading"),
  });
  expect(wrong).toBe(0);
  await expectGone();
});

it("ends when the device is unplugged while it is silent", async () => {
  const end = drain(port);
  await device.ask("hangup");
  expect(await within(NOTICED_MS, end)).toMatchObject({ kind: "link", message: expect.stringContaining("vanished") });
  await expectGone();
});

it("notices an unplugged device by writing, when nobody takes what was read", async () => {
  device.tell("stream 0");
  await settled(() => device.ask("sent"));
  await device.ask("hangup");
  expect((await idleCost(300)).cpu).toBeLessThan(MOST_CPU);
  expect(await rejection(port.write(new Uint8Array(1)))).toMatchObject({
    kind: "link",
    message: expect.stringContaining("vanished while writing"),
  });
  expect(await descriptorsOn(device.path)).toBe(0);
  expect(await drain(port)).toMatchObject({ kind: "link" });
});

it("lets go of a write that waits when the device is unplugged", async () => {
  const write = rejection(port.write(new Uint8Array(1 << 20))); // nobody takes it at the other end
  await device.ask("sent");
  await device.ask("hangup");
  expect(await within(NOTICED_MS, write)).toMatchObject({ kind: "link", message: expect.stringContaining("vanished") });
  await expectGone();
});

it("waits for a device that falls silent without working, and can be closed", async () => {
  device.tell("burst 1000");
  await within(2000, take(port, 1000));
  const end = drain(port);
  const cost = await idleCost(OBSERVED_MS);
  expect(cost.cpu).toBeLessThan(MOST_CPU);
  await within(NOTICED_MS, port.close());
  expect(await end).toBeUndefined();
  expect(await descriptorsOn(device.path)).toBe(0);
});

it("ends when the program behind the port is killed in mid-stream", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ports-"));
  const [a, b] = [join(folder, "a"), join(folder, "b")];
  const cable = await startCable(a, b);
  onTestFinished(() => cable.stop("SIGKILL"));
  const [sender, receiver] = [await open(a), await open(b)];
  const flowing = signal();
  const ends = [drain(receiver, () => flowing.give()), drain(sender)];
  const sending = rejection(
    (async () => {
      while (true) await sender.write(new Uint8Array(4096));
    })(),
  );
  await within(2000, flowing.given);
  await cable.stop("SIGKILL");
  const outcomes = await within(NOTICED_MS, Promise.all([...ends, sending]));
  for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: "link", message: expect.stringContaining("vanished") });
  expect((await idleCost(300)).cpu).toBeLessThan(MOST_CPU);
  await within(NOTICED_MS, Promise.all([sender.close(), receiver.close()]));
  await rm(folder, { recursive: true });
});

it("opens the same device again after it was unplugged", async () => {
  for (let round = 0; round < 3; round++) {
    const end = drain(port);
    device.tell("stream 100000");
    await device.ask("hangup");
    expect(await within(NOTICED_MS, end)).toMatchObject({ kind: "link" });
    await device.stop();
    device = await startPty();
    port = await open(device.path);
    device.tell("burst 4096");
    expect(firstWrong(await within(2000, take(port, 4096)))).toBe(-1);
  }
});
