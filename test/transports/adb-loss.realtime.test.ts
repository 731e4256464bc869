import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Channel, Transport } from "../../src/model/transport.ts";
import { DurableChannel } from "../../src/transports/durable-channel.ts";
import { type Phone, startPhone } from "../adbd/phone.ts";
import { freePort } from "../e2e/loopback.ts";
import { openAdb, optionsFor, texts } from "./adb-bench.ts";

const link = (message: RegExp) => ({ kind: "link", message: expect.stringMatching(message) });
const COUNT = 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i + 1)); [ $((i % 20)) = 0 ] && sleep 0.02; done; exit 7';

async function duration_ms(work: Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work;
  return performance.now() - begin;
}

describe.each(["network", "cable"] as const)("by %s", (how) => {
  let phone: Phone;
  let transport: Required<Transport>;
  beforeAll(async () => {
    phone = await startPhone({ link: how });
  });
  afterAll(() => phone?.close());
  beforeEach(async () => {
    transport = await openAdb(optionsFor(phone, { answer_timeout_s: 2 }));
  });

  test("a lost command is told from one that has finished, and half a line is dropped", async () => {
    const running = await transport.open(["sh", "-c", "echo whole; printf half; cat"]);
    expect(await texts(running.lines, 1)).toEqual(["whole"]);
    expect(await transport.run(["sh", "-c", "printf half; exit 3"])).toMatchObject({ code: 3, output: "half\n" });
    await phone.vanish();
    await expect(running.exit).rejects.toMatchObject(link(/^sh: the link was lost before the command ended/));
    expect(await texts(running.lines)).toEqual([]);
    await expect(running.write("late")).rejects.toMatchObject(link(/lost/));
    expect(await duration_ms(running.close())).toBeLessThan(1000);
    await expect(transport.open(["true"])).rejects.toMatchObject(link(/cannot be reached/));
    await expect(transport.reconnect()).rejects.toMatchObject(link(new RegExp(`^${phone.serial}: `)));
    await expect(transport.identity()).rejects.toMatchObject({ kind: "link" });
    await phone.return();
    await transport.reconnect();
    expect((await transport.identity()).boot_id).toBe(phone.boot_id);
  });

  test("the shell that a lost link leaves behind is hung up", async () => {
    const running = await transport.open([
      "sh",
      "-c",
      "trap 'echo hup >/data/local/tmp/hup; exit' HUP; echo ready; while :; do sleep 0.05; done",
    ]);
    expect(await texts(running.lines, 1)).toEqual(["ready"]);
    phone.dropTransports();
    await expect(running.exit).rejects.toMatchObject({ kind: "link" });
    await transport.reconnect();
    await expect.poll(async () => (await transport.run(["cat", "/data/local/tmp/hup"])).output).toBe("hup\n");
  });

  test("a phone that stands still is let go of at once, refused while it does, and taken when it goes on", async () => {
    const running = await transport.open(["sh", "-c", COUNT]);
    const unread = await transport.open(["yes", "0123456789".repeat(10)]);
    expect(await texts(running.lines, 2)).toEqual(["line 0", "line 1"]);
    phone.freeze();
    await expect(transport.run(["true"])).rejects.toMatchObject(link(/no answer within 2 s/));
    const refused = transport.reconnect();
    refused.catch(() => undefined);
    expect(await duration_ms(Promise.allSettled([running.exit, unread.exit]))).toBeLessThan(500);
    for (const channel of [running, unread]) await expect(channel.exit).rejects.toMatchObject(link(/lost/));
    for await (const _ of unread.lines); // They end.
    expect(await duration_ms(refused.catch(() => undefined))).toBeLessThan(5000);
    await expect(refused).rejects.toMatchObject(link(new RegExp(phone.serial)));
    phone.thaw();
    await expect.poll(() => transport.reconnect().catch((error: unknown) => error), { timeout: 8000 }).toBeUndefined();
    expect((await transport.identity()).boot_id).toBe(phone.boot_id);
  });

  test("another boot is seen", async () => {
    const before = await transport.identity();
    await phone.reboot();
    await expect.poll(() => transport.reconnect().catch((error: unknown) => error)).toBeUndefined();
    const after = await transport.identity();
    expect(after.boot_id).not.toBe(before.boot_id);
    expect({ ...after, boot_id: before.boot_id }).toEqual(before);
  });
});

describe("of the network", () => {
  let phone: Phone;
  let transport: Required<Transport>;
  beforeAll(async () => {
    phone = await startPhone();
  });
  afterAll(() => phone?.close());
  beforeEach(async () => {
    transport = await openAdb(optionsFor(phone, { answer_timeout_s: 2 }));
  });

  test("a server that is killed in the middle is started again, and the phone connected", async () => {
    const running = await transport.open(["sh", "-c", COUNT]);
    expect(await texts(running.lines, 2)).toEqual(["line 0", "line 1"]);
    const before = phone.server.pid();
    await phone.server.kill();
    await expect(running.exit).rejects.toMatchObject(link(/lost/));
    await expect(transport.run(["true"])).rejects.toMatchObject(link(/cannot be reached/));
    await transport.reconnect();
    expect(phone.server.pid()).not.toBe(before);
    expect((await transport.run(["echo", "back"])).output).toBe("back\n");
  });

  test("writing to a phone that stands still does not wait without end", async () => {
    const running = await transport.open(["cat"]);
    phone.freeze();
    let refusal: unknown;
    for (let sent = 0; sent < 1000 && !refusal; sent++)
      await running.write("x".repeat(32_000)).catch((error: unknown) => (refusal = error));
    expect(refusal).toMatchObject(link(/^cat: no answer within 2 s/));
    phone.thaw();
  });

  test("closing does not wait again and again for a phone that stands still", async () => {
    await transport.open(["cat"]);
    phone.freeze();
    // A second for its input's end, and one answer that does not come.
    expect(await duration_ms(transport.close())).toBeLessThan(4000);
    phone.thaw();
  });

  test("a forward ends with the link it belongs to", async () => {
    const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await expect.poll(() => server.listening).toBe(true);
    const { port } = server.address() as AddressInfo;
    const before = await transport.forward(port);
    const ask = async (at: number): Promise<string> => (await fetch(`http://127.0.0.1:${at}/`)).text();
    expect(await ask(before.port)).toBe("hello");
    phone.dropTransports();
    await transport.reconnect();
    await expect(ask(before.port)).rejects.toThrow();
    const after = await transport.forward(port);
    expect(await ask(after.port)).toBe("hello");
    server.closeAllConnections();
    server.close();
  });

  test("what outlives the link loses no line and doubles none", async () => {
    const channel = await DurableChannel.start(transport, ["sh", "-c", COUNT]);
    const read = collect(channel);
    for (const cut of [() => phone.vanish(), async () => phone.dropTransports(), () => phone.server.kill()]) {
      const { length } = read.lines;
      await expect.poll(() => read.lines.length).toBeGreaterThan(length + 100);
      await cut();
      if (phone.adbd.ports.length === 0) await phone.return();
      await transport.reconnect();
      await channel.resume(() => {}, false);
    }
    await read.end;
    expect(read.lines.filter(Boolean)).toEqual(Array.from({ length: 3000 }, (_, i) => `line ${i}`));
    expect(await channel.exit).toBe(7);
    await channel.close();
    expect((await transport.run(["ls", "/data/local/tmp"])).output).toBe("");
  });
});

describe("from the cable to the network", () => {
  let phone: Phone;
  afterEach(() => phone?.close());

  test("the same phone goes on, and is found there again", async () => {
    phone = await startPhone({ link: "cable" });
    const network_port = await freePort();
    const transport = await openAdb(optionsFor(phone, { network_port, answer_timeout_s: 3 }));
    const before = await transport.identity();
    const running = await transport.open(["cat"]);
    await transport.toNetwork();
    await expect(running.exit).rejects.toMatchObject({ kind: "link" });
    expect(await transport.identity()).toEqual(before);
    await phone.adbd.unlisten(phone.port); // The cable is pulled.
    await transport.reconnect();
    expect((await transport.run(["echo", "without cable"])).output).toBe("without cable\n");
    await transport.toNetwork();
    expect(await phone.server.adb("devices")).toContain(`127.0.0.1:${network_port}\tdevice`);
    await transport.close(); // As it was found: it listens on its cable alone.
    await expect.poll(() => phone.adbd.ports).not.toContain(network_port);
    expect(await phone.server.adb("devices")).not.toContain(`${network_port}`);
  });

  test("a phone that takes its time to listen in the network is waited for", async () => {
    phone = await startPhone({ link: "cable" });
    const network_port = await freePort();
    phone.adbd.listensAfter_ms = 1500;
    const transport = await openAdb(optionsFor(phone, { network_port, answer_timeout_s: 3 }));
    await transport.toNetwork();
    expect((await transport.run(["echo", "there"])).output).toBe("there\n");
  });

  test("another phone that answers there is refused, and the cable used again", async () => {
    phone = await startPhone({ link: "cable" });
    const other = await startPhone({ server: phone.server, properties: { "ro.serialno": "R58M123ABC" } });
    phone.adbd.hasTaken = new Set([other.port]);
    const transport = await openAdb(optionsFor(phone, { network_port: other.port, answer_timeout_s: 3 }));
    await expect(transport.toNetwork()).rejects.toMatchObject({
      kind: "config",
      message: expect.stringMatching(/there answers R58M123ABC, not 41090DLJH0014B/),
    });
    expect((await transport.identity()).serial).toBe("41090DLJH0014B");
    await other.close();
  });

  test("a phone without Wi-Fi stays on the cable", async () => {
    phone = await startPhone({ link: "cable" });
    phone.write("system/bin/ip", "#!/system/bin/sh\n");
    const transport = await openAdb(optionsFor(phone));
    const running = await transport.open(["cat"]);
    await expect(transport.toNetwork()).rejects.toMatchObject({ kind: "config", message: expect.stringMatching(/Wi-Fi/) });
    await running.write("still here");
    expect(await texts(running.lines, 1)).toEqual(["still here"]);
  });
});

interface Collected {
  readonly lines: string[];
  readonly end: Promise<void>;
}

function collect(channel: Channel): Collected {
  const lines: string[] = [];
  const end = (async () => {
    for await (const { text } of channel.lines) lines.push(text);
  })();
  return { lines, end };
}
