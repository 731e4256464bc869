import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readCursor } from "../../src/sinks/outbox.ts";
import { counted, END, folder, kind, mean, open, QUICK } from "./bench.ts";
import { Influxd } from "./influxd.ts";
import { freePort, ScriptedServer } from "./scripted.ts";

describe("without a database", () => {
  test("down from the start: measuring goes on, everything waits in files, and the end does not wait", async () => {
    const { sink, faults, notices, outbox } = open({ port: await freePort() });
    for (let k = 0; k < 20; k++) sink.power?.(mean(k));
    await expect.poll(() => notices).toHaveLength(1);
    expect(notices[0]).toContain("ECONNREFUSED");
    const began = performance.now();
    expect(await sink.close(END)).toMatchObject({ sent: 0, refused: 0, waiting: 20, reason: expect.stringContaining("ECONNREFUSED") });
    expect(performance.now() - began).toBeLessThan(2500);
    expect(faults).toEqual([]);
    expect(await sink.close(END)).toMatchObject({ waiting: 20 });
    expect(readCursor(outbox)).toMatchObject({ appended: 20, delivered: 0, whole: true });
    expect(readFileSync(join(outbox, "000000.lp"), "utf8").split("\n")).toHaveLength(21);
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
      expect(await sink.close(END)).toEqual({ sent: 20, refused: 0, waiting: 0 });
    } finally {
      await influxd.stop();
    }
  });

  test("what waited is sent by whoever opens the outbox next, and then its files are gone", async () => {
    const outbox = join(folder(), "influx");
    const first = open({ port: await freePort() }, QUICK, outbox);
    for (let k = 0; k < 20; k++) first.sink.power?.(mean(k));
    await first.sink.close(END);
    const server = await ScriptedServer.start();
    const second = open({ port: server.port }, QUICK, outbox);
    expect(await second.sink.close(END)).toEqual({ sent: 20, refused: 0, waiting: 0 });
    expect(server.points.size).toBe(20);
    expect(readdirSync(outbox)).toEqual(["cursor.json"]);
    await server.stop();
  });

  test("a session that never was leaves nothing that calls itself whole", async () => {
    const { sink, outbox } = open({ port: await freePort() });
    sink.power?.(mean(0));
    await sink.close();
    expect(readCursor(outbox)).toMatchObject({ whole: false });
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
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 1, reason: expect.stringMatching(/./) });
    server.close();
  });

  test.each([301, 401, 403, 404, 429, 500, 503])("a server that says %i: everything waits", async (status) => {
    const server = createServer((_, response) => response.writeHead(status, { Location: "http://127.0.0.1:1/" }).end("<html>"));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { sink } = open({ port: (server.address() as AddressInfo).port });
    sink.power?.(mean(0));
    expect(await sink.close(END)).toMatchObject({ refused: 0, waiting: 1, reason: expect.stringContaining(String(status)) });
    server.close();
  });

  test.each([400, 413, 422])("a server that says %i of one point: it is kept beside what the server said", async (status) => {
    const server = createServer((_, response) => response.writeHead(status).end(JSON.stringify({ error: "not this\none" })));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { sink, faults, outbox } = open({ port: (server.address() as AddressInfo).port });
    sink.power?.(mean(0));
    expect(await sink.close(END)).toMatchObject({ sent: 0, refused: 1, waiting: 0 });
    expect(counted(faults)).toBe(1);
    expect(readFileSync(join(outbox, "rejected.lp"), "utf8")).toMatch(new RegExp(`^# ${status} not thisone\npower,.* \\d+\n$`));
    server.close();
  });
});

describe("a rig", () => {
  test("names a password that is not there", () => {
    const outbox = join(folder(), "influx");
    expect(() => open({ username: "a", password_env: "JOULEBENCH_TEST_ABSENT" }, QUICK, outbox)).toThrow(
      "influx@127.0.0.1:8086/joulebench: the environment variable JOULEBENCH_TEST_ABSENT is not set; it must hold the password of a",
    );
    expect(existsSync(outbox)).toBe(false);
    expect(() => open({ flavor: 3, token_env: "JOULEBENCH_TEST_ABSENT" })).toThrow("8181/joulebench: the environment variable");
  });

  test("has nothing to say but the kind", () => {
    expect(kind.options.parse({})).toEqual({
      ...{ flavor: 1, host: "127.0.0.1", protocol: "http", path: "", database: "joulebench" },
      ...{ rate_hz: 10, gzip: true, tags: {} },
    });
    expect(kind.options.parse({ retention: {} })).toMatchObject({ retention: { raw: "30d", second: "104w", results: "inf" } });
  });

  test.each([
    ["holds a password itself", { password: "x" }],
    ["has a password and no user", { password_env: "X" }],
    ["has a path that starts nowhere", { path: "influx" }],
    ["has a bucket without an organisation", { flavor: 2 }],
    ["has a user for 3.x", { flavor: 3, username: "a" }],
    ["has a token for 1.x", { token_env: "X" }],
    ["has a tag that is a field", { tags: { power_w: "x" } }],
    ["has a tag that is one already", { tags: { rig: "x" } }],
    ["keeps power for a text", { retention: { raw: "long; DROP DATABASE x" } }],
  ])("%s", (_, rig) => {
    expect(kind.options.safeParse(rig).success).toBe(false);
  });
});
