import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { describe, expect, test } from "vitest";
import { counted, kind, mean, open, QUICK } from "./bench.ts";
import { Influxd } from "./influxd.ts";

describe("without a database", () => {
  test("down from the start: measuring goes on, the loss is counted, and the end does not wait", async () => {
    const { sink, faults, notices } = open({ port: await freePort() });
    for (let k = 0; k < 20; k++) sink.power?.(mean(k));
    await expect.poll(() => notices).toHaveLength(1);
    expect(notices[0]).toContain("ECONNREFUSED");
    expect(faults).toEqual([]);
    const began = performance.now();
    expect(await sink.close()).toMatchObject({ refused: 20, reason: expect.stringContaining("ECONNREFUSED") });
    expect(performance.now() - began).toBeLessThan(2500);
    expect(faults).toMatchObject([{ code: "sink_refused", count: 20 }]);
    expect(await sink.close()).toMatchObject({ refused: 20 });
  });

  test("one that comes late gets everything", async () => {
    const port = await freePort();
    const { sink, notices } = open({ port });
    for (let k = 0; k < 20; k++) sink.power?.(mean(k));
    await expect.poll(() => notices).toHaveLength(1);
    const influxd = await Influxd.start({ port });
    try {
      const client = influxd.client();
      await expect.poll(() => client.query("select * from power")).toHaveLength(20);
      expect(await sink.close()).toEqual({ refused: 0 });
    } finally {
      await influxd.stop();
    }
  });

  test("of too much for the queue, the latest is what arrives", async () => {
    const port = await freePort();
    const { sink } = open({ port }, { ...QUICK, queue_bytes: 10_000 });
    for (let k = 0; k < 100; k++) sink.power?.(mean(k, k));
    const influxd = await Influxd.start({ port });
    try {
      const { refused } = await sink.close();
      const rows = await influxd.client().query<{ power_w: number }>("select power_w from power");
      expect(rows.length).toBeGreaterThan(10);
      expect(rows.map((row) => row.power_w)).toEqual(Array.from({ length: 100 }, (_, k) => k).slice(refused));
    } finally {
      await influxd.stop();
    }
  });

  test("the queue is bounded: the oldest go, each counted, told once and at the end", async () => {
    const { sink, faults } = open({ port: await freePort() }, { ...QUICK, queue_bytes: 100_000 });
    for (let k = 0; k < 1000; k++) sink.power?.(mean(k));
    expect(faults).toMatchObject([{ code: "sink_refused", detail: expect.stringContaining("queue of 100000 bytes full") }]);
    const { refused, reason = "" } = await sink.close();
    expect(refused).toBe(1000);
    expect(counted(faults)).toBe(1000);
    const dropped = Number(/(\d+) points: queue/.exec(reason)?.[1]);
    expect(dropped).toBeGreaterThan(700);
    expect(dropped).toBeLessThan(900);
    expect(faults).toHaveLength(3);
  });

  test.each([
    ["an answer that breaks off", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"],
    ["an answer without an end", "HTTP/1.1 204 No Content\r\nX: "],
    ["no HTTP at all", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["nothing but a closed connection", ""],
  ])("%s", async (_, answer) => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(answer));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { sink } = open({ port: (server.address() as AddressInfo).port }, { ...QUICK, request_ms: 300 });
    sink.power?.(mean(0));
    expect(await sink.close()).toMatchObject({ refused: 1 });
    server.close();
  });

  test.each([301, 400, 403, 404, 413, 429, 500, 503])("a server that says %i", async (status) => {
    const server = createServer((_, response) => response.writeHead(status).end("<html>"));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { sink } = open({ port: (server.address() as AddressInfo).port });
    sink.power?.(mean(0));
    expect(await sink.close()).toMatchObject({ refused: 1 });
    server.close();
  });
});

describe("a rig", () => {
  test("names a password that is not there", () => {
    expect(() => open({ username: "a", password_env: "JOULEBENCH_TEST_ABSENT" })).toThrow(
      "influx@127.0.0.1:8086/joulebench: the environment variable JOULEBENCH_TEST_ABSENT is not set",
    );
  });

  test("has nothing to say but the kind", () => {
    expect(kind.options.parse({})).toEqual({ host: "127.0.0.1", port: 8086, protocol: "http", path: "", database: "joulebench" });
  });

  test.each([
    ["holds a password itself", { password: "x" }],
    ["has a password and no user", { password_env: "X" }],
    ["has a path that starts nowhere", { path: "influx" }],
  ])("%s", (_, rig) => {
    expect(kind.options.safeParse(rig).success).toBe(false);
  });
});

/** A loopback port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
