import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Channel, Transport } from "../../src/model/transport.ts";
import { parseEvent } from "../../src/parsers/jsonl.ts";
import { transports } from "../../src/transports/index.ts";
import { parsePong, pingLine } from "../../src/wire/ping.ts";
import { App, HELLO } from "../usbmuxd/app.ts";
import { Usbmuxd } from "../usbmuxd/usbmuxd.ts";

const UDID = "00008120-000A1B2C3D4E5F60";
const OTHER = "00008030-001122334455667E";
const PORT = 5000;
const VARIABLE = "USBMUXD_SOCKET_ADDRESS";

const kind = transports.find((each) => each.kind === "ios")!;
const folder = mkdtempSync(join(tmpdir(), "joulebench-ios-"));
const before = process.env[VARIABLE];
const now = (): number => Number(process.hrtime.bigint());
let mux: Usbmuxd;
let app: App;
const open: { close(): Promise<void> }[] = [];

afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  mux = await Usbmuxd.start(mkdtempSync(join(folder, "mux-")));
  process.env[VARIABLE] = mux.address;
  app = await App.start();
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
  await app.close();
  await mux.close();
  if (before === undefined) delete process.env[VARIABLE];
  else process.env[VARIABLE] = before;
});

async function transport(options: object = {}): Promise<Transport> {
  const opened = await kind.open({ kind: "ios", ...(kind.options.parse({ port: PORT, ...options }) as object) }, now);
  open.push(opened);
  return opened;
}

/** The next lines of a channel. */
async function texts(channel: Channel, enough = Number.POSITIVE_INFINITY): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of channel.lines) if (found.push(text) >= enough) break;
  return found;
}

/** Why a connection fails; undefined when it does not. */
const refusal = (host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = connect({ host, port }, () => resolve(void socket.destroy()));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  });

/** Ids of this process's children that are an iproxy; state and parent follow the name in brackets. */
const proxies = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((id) => {
      try {
        const [, program, parent] = /^\d+ \((.*)\) [^Z] (\d+)/.exec(readFileSync(`/proc/${id}/stat`, "utf8")) ?? [];
        return program === "iproxy" && Number(parent) === process.pid;
      } catch {
        return false; // It has just ended.
      }
    })
    .map(Number);

describe("one iPhone with the app", () => {
  beforeEach(() => mux.attach(UDID, { [PORT]: app.port }));

  test("pings are answered and stamped here in between", async () => {
    const channel = await (await transport()).open([]);
    for (let id = 0; id < 20; id++) {
      const sent_ns = now();
      await channel.write(pingLine(id));
      for await (const { text, host_ns } of channel.lines) {
        expect(parsePong(text)?.id).toBe(id);
        expect(host_ns).toBeGreaterThan(sent_ns);
        expect(host_ns).toBeLessThan(now());
        break;
      }
    }
  });

  test("events come as lines, whatever their characters and however they are chopped", async () => {
    const channel = await (await transport()).open([]);
    await channel.write("start");
    const lines = await texts(channel, 5);
    const events = lines.slice(0, 4).map((line) => parseEvent(line));
    expect(events.map((each) => "event" in each && each.event.type)).toEqual(["request_start", "first_token", "token", "request_end"]);
    expect(lines[4]).toBe('{"type":"done"}');
    await channel.write("Grüße €; rm -rf /");
    await expect.poll(() => app.heard).toEqual(["Grüße €; rm -rf /"]);
    app.say("Grüße €");
    expect(await texts(channel, 1)).toEqual(["Grüße €"]);
    await expect(channel.write("two\nlines")).rejects.toThrow(RangeError);
  });

  test("what it says of itself is its identity, asked anew each time; its serial is usbmuxd's", async () => {
    const phone = await transport();
    const { type: _type, cores: _cores, ...said } = HELLO;
    expect(await phone.identity()).toEqual({ ...said, transport: "ios", serial: UDID });
    await app.close();
    app = await App.start('{"type":"hello","boot_id":"7A12","serial":"its own"}');
    mux.detach(UDID);
    mux.attach(UDID, { [PORT]: app.port });
    expect(await phone.identity()).toEqual({ boot_id: "7A12", transport: "ios", serial: UDID });
    await expect.poll(() => app.connections).toBe(0);
  });

  test("several channels at once, and each ends by itself", async () => {
    const phone = await transport();
    const [one, two] = await Promise.all([phone.open([]), phone.open([])]);
    await expect.poll(() => app.connections).toBe(2);
    await one.close();
    expect(await one.exit).toBe(0);
    await two.write(pingLine(1));
    expect(parsePong((await texts(two, 1))[0]!)?.id).toBe(1);
    two.endInput();
    expect(await two.exit).toBe(0);
    await expect(two.write("ping 2")).rejects.toMatchObject({ kind: "link" });
  });

  test("an end that the app announced is no loss, one that it did not is", async () => {
    const phone = await transport();
    const polite = await phone.open([]);
    app.say('{"type":"bye"}');
    app.hangUp();
    expect(await texts(polite)).toEqual(['{"type":"bye"}']);
    expect(await polite.exit).toBe(0);
    const ended = await phone.open([]);
    app.say('{"type":"token","request":"bye","time_s":1}');
    app.hangUp();
    await expect(ended.exit).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("the app hung up") });
    expect(await texts(ended)).toHaveLength(1);
  });

  test("half a line is none when the app was ended, and one when it said so or we end it", async () => {
    const phone = await transport();
    const ended = await phone.open([]);
    app.say("whole");
    app.mumble("half");
    app.hangUp();
    await expect(ended.exit).rejects.toMatchObject({ kind: "link" });
    expect(await texts(ended)).toEqual(["whole"]);
    const polite = await phone.open([]);
    app.mumble('{"type":"bye"}');
    app.hangUp();
    expect(await polite.exit).toBe(0);
    expect(await texts(polite)).toEqual(['{"type":"bye"}']);
  });

  test("unplugged in the middle: what came is kept, the loss is told, and plugged in again it goes on", async () => {
    const phone = await transport();
    const channel = await phone.open([]);
    app.say("before");
    expect(await texts(channel, 1)).toEqual(["before"]);
    mux.detach(UDID);
    await expect(channel.exit).rejects.toMatchObject({
      kind: "link",
      subject: `${UDID}:${PORT}`,
      message: expect.stringContaining("unplugged"),
    });
    expect(await texts(channel)).toEqual([]);
    await expect(channel.write("ping 1")).rejects.toMatchObject({ kind: "link" });
    await expect(phone.open([])).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("unplugged") });
    await expect(phone.reconnect!()).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("no iPhone is plugged in") });
    mux.attach(UDID, { [PORT]: app.port });
    await phone.reconnect!();
    const again = await phone.open([]);
    await again.write(pingLine(3));
    expect(parsePong((await texts(again, 1))[0]!)?.id).toBe(3);
  });

  test("a port is forwarded until it is given back", async () => {
    const phone = await transport();
    const { host, port, close } = await phone.forward!(PORT);
    const socket = connect({ host, port });
    const said = await new Promise<string>((resolve, reject) =>
      socket.once("error", reject).once("data", (chunk) => resolve(String(chunk))),
    );
    expect(JSON.parse(said)).toEqual(HELLO);
    socket.destroy();
    await close();
    expect(await refusal(host, port)).toBe("ECONNREFUSED");
  });

  test("no iproxy is left behind", async () => {
    const phone = await transport();
    const channel = await phone.open([]);
    await phone.forward!(PORT);
    expect(proxies()).toHaveLength(2);
    await phone.reconnect!();
    expect(proxies()).toHaveLength(1);
    expect(await channel.exit).toBe(0);
    await phone.close();
    expect(proxies()).toEqual([]);
    await expect(phone.open([])).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("not connected") });
  });

  test("an iproxy that has gone is a lost link", async () => {
    const phone = await transport();
    const channel = await phone.open([]);
    process.kill(proxies()[0]!, "SIGKILL");
    await expect(channel.exit).rejects.toMatchObject({ kind: "link" });
    await expect(phone.open([])).rejects.toMatchObject({ kind: "link", subject: "iproxy" });
    await phone.reconnect!();
    expect(await phone.identity()).toMatchObject({ serial: UDID });
  });

  test("programs cannot be started there", async () => {
    const phone = await transport();
    await expect(phone.open(["ls"])).rejects.toMatchObject({ kind: "config", message: expect.stringContaining("command: []") });
    expect([phone.run, phone.push, phone.pull]).toEqual([undefined, undefined, undefined]);
  });

  test("an iproxy that is not installed", async () => {
    const missing = { kind: "config", subject: "/nowhere/iproxy", message: expect.stringContaining("libusbmuxd-tools") };
    await expect(transport({ iproxy: "/nowhere/iproxy" })).rejects.toMatchObject(missing);
  });

  test("an iproxy that is something else", async () => {
    const phone = await transport({ iproxy: process.execPath });
    await expect(phone.open([])).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("bad option: --udid") });
  });

  test("the app is not running", async () => {
    const phone = await transport({ port: PORT + 1 });
    await expect(phone.open([])).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("does not listen") });
    await app.close();
    await expect((await transport()).open([])).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("does not listen") });
    app = await App.start();
  });

  test("something else listens there", async () => {
    const other = await App.start("SSH-2.0-OpenSSH_9.2");
    open.push(other);
    mux.attach(UDID, { [PORT]: other.port });
    await expect((await transport()).open([])).rejects.toMatchObject({ kind: "config", message: expect.stringContaining("SSH-2.0") });
    await expect.poll(() => other.connections).toBe(0);
  });
});

test("something listens there and says nothing", async () => {
  const silent = await App.start(null);
  open.push(silent);
  mux.attach(UDID, { [PORT]: silent.port });
  await expect((await transport()).open([])).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("says no hello") });
  await expect.poll(() => silent.connections).toBe(0);
});

test("a joulebench that exits takes its iproxy with it", async () => {
  mux.attach(UDID, { [PORT]: app.port });
  const script = `
    import { ios } from ${JSON.stringify(pathToFileURL(resolve("dist/transports/ios.js")).href)};
    const phone = await ios.open({ kind: "ios", port: ${PORT}, iproxy: "iproxy" }, () => 0);
    const { port } = await phone.forward(${PORT});
    process.stdout.write(String(port), () => process.exit(7));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (chunk) => {
    said += chunk;
  });
  expect(await new Promise((resolve) => child.once("close", resolve))).toBe(7);
  expect(await refusal("127.0.0.1", Number(said))).toBe("ECONNREFUSED");
});

describe("which iPhone", () => {
  test("none", async () => {
    await expect(transport()).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("no iPhone is plugged in") });
    expect(proxies()).toEqual([]);
  });

  test("of two, the one that is named", async () => {
    const second = await App.start('{"type":"hello","model":"the other"}');
    open.push(second);
    mux.attach(UDID, { [PORT]: app.port });
    mux.attach(OTHER, { [PORT]: second.port });
    expect(await (await transport({ udid: UDID })).identity()).toMatchObject({ serial: UDID, model: HELLO.model });
    expect(await (await transport({ udid: OTHER })).identity()).toMatchObject({ serial: OTHER, model: "the other" });
    await expect(transport()).rejects.toMatchObject({ kind: "config", message: expect.stringContaining(`${UDID}, ${OTHER}`) });
    await expect(transport({ udid: "00008110-0" })).rejects.toMatchObject({ kind: "link", message: expect.stringContaining(UDID) });
  });

  test("no usbmuxd", async () => {
    process.env[VARIABLE] = "UNIX:/nowhere/usbmuxd";
    await expect(transport()).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("/nowhere/usbmuxd") });
    process.env[VARIABLE] = `127.0.0.1:${app.port}`;
    await expect(transport()).rejects.toMatchObject({ kind: "link", message: expect.stringContaining("no message of usbmuxd") });
  });
});
