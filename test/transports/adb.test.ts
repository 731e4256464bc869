import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Transport } from "../../src/model/transport.ts";
import { type Phone, startPhone } from "../adbd/phone.ts";
import { openAdb, optionsFor, script, texts } from "./adb-bench.ts";

let phone: Phone;
beforeAll(async () => {
  phone = await startPhone();
});
afterAll(() => phone?.close());

const toPhone = (more?: object): Promise<Required<Transport>> => openAdb(optionsFor(phone, more));

describe("a command", () => {
  test("is given lines and gives lines, whatever their characters and however they are chopped", async () => {
    const channel = await (await toPhone()).open(
      script(`process.stdin.on("data", (d) => process.stdout.write("got " + d)).on("end", () => process.stdout.write("no newline"))`),
    );
    await channel.write("Grüße €");
    expect(await texts(channel.lines, 1)).toEqual(["got Grüße €"]);
    await channel.write("a; rm -rf / $(b)");
    expect(await texts(channel.lines, 1)).toEqual(["got a; rm -rf / $(b)"]);
    await expect(channel.write("two\nlines")).rejects.toThrow(RangeError);
    channel.endInput();
    expect(await texts(channel.lines)).toEqual(["no newline"]);
    expect(await channel.exit).toBe(0);
    await expect(channel.write("late")).rejects.toMatchObject({ kind: "link", message: expect.stringMatching(/exit code 0/) });
  });

  test.each([0, 1, 3, 126, 127, 128, 160, 254, 255])("has its exit code: %i", async (code) => {
    expect(await (await toPhone()).run(["sh", "-c", `exit ${code}`])).toEqual({ code, output: "", complaint: "" });
  });

  test.each(["TERM", "KILL", "SEGV"])("that SIG%s ends has no exit code", async (signal) => {
    expect(await (await toPhone()).run(["sh", "-c", `echo before; kill -${signal} $$`])).toMatchObject({ code: null, output: "before\n" });
  });

  test("complains apart from its output, and the end of it is kept", async () => {
    const channel = await (await toPhone()).open(["sh", "-c", "echo out; echo no model here >&2; exit 3"]);
    expect(await texts(channel.lines)).toEqual(["out"]);
    expect(await channel.exit).toBe(3);
    await expect.poll(() => channel.complaint()).toBe("no model here");
    await expect(channel.write("ping 1")).rejects.toMatchObject({
      kind: "link",
      message: expect.stringMatching(/^sh: .*exit code 3.*no model here$/),
    });
    const long = await (await toPhone()).run(script(`process.stderr.write("x".repeat(1e6) + "the reason")`));
    expect(long.complaint).toMatch(/^x{4086}the reason$/);
  });

  test("reads its input to the end", async () => {
    const { output } = await (await toPhone()).run(["sh", "-c", "wc -l; echo end"], { input: ["a", "b c", ""] });
    expect(output).toBe("3\nend\n");
    expect(await (await toPhone()).run(["cat"])).toMatchObject({ code: 0, output: "" });
  });

  test("that takes longer than its limit is ended", async () => {
    const transport = await toPhone();
    await expect(transport.run(["sleep", "4711"], { limit_ms: 50 })).rejects.toMatchObject({ kind: "link", message: /0.05 s/ });
    expect((await transport.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])).output).not.toContain("sleep 4711");
  });

  test.each([
    ["is not there", ["no-such-command-4711"], /^no-such-command-4711: command not found on the device/],
    ["is no program", ["/etc/passwd"], /not executable/],
    ["looks like an option", ["-v"], /dash/],
    ["is given a NUL", ["true", "a\0b"], /NUL/],
    ["is none", [], /no command given/],
    ["has 100 kB of arguments", ["true", "x".repeat(100_000)], /64 KiB/],
  ])("that %s is a mistake of the rig", async (_, argv, message) => {
    const transport = await toPhone();
    await expect(transport.open(argv)).rejects.toMatchObject({ kind: "config", message: expect.stringMatching(message) });
    expect((await transport.run(["echo", "still here"])).output).toBe("still here\n");
  });

  test("that heeds neither the end of its input nor SIGTERM is killed, with what it started", async () => {
    const transport = await toPhone();
    const channel = await transport.open(["sh", "-c", "trap 'echo no' TERM; sleep 4712 & echo ready; while :; do sleep 0.05; done"]);
    expect(await texts(channel.lines, 1)).toEqual(["ready"]);
    await channel.close();
    expect(await channel.exit).toBeNull();
    expect(await texts(channel.lines)).toEqual(["no"]);
    expect((await transport.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])).output).not.toContain("sleep 4712");
  });

  test("can be closed though nobody ever read it", async () => {
    const channel = await (await toPhone()).open(["yes", "0123456789012345678901234567890123456789"]);
    await channel.close();
    // What was read ahead and no more, however much it printed while it was being ended.
    expect((await texts(channel.lines)).length).toBeLessThan(40_000);
  });

  test("that is eager waits for its reader, and 5 MB of lines are whole", async () => {
    phone.write("data/progress", "");
    const channel = await (await toPhone()).open(
      script(`
        let n = 0;
        const more = () => { while (n < 625000) if (!process.stdout.write(String(n++).padStart(7, "0") + "\\n")) return process.stdout.once("drain", more); };
        more();
        setInterval(() => require("fs").appendFileSync("/data/progress", n + "\\n"), 50).unref();`),
    );
    const said = () => readFileSync(phone.at("data/progress"), "utf8").trim().split("\n").slice(-4);
    await expect.poll(said, { timeout: 8000 }).toSatisfy((last: string[]) => last.length === 4 && new Set(last).size === 1);
    expect(Number(said().at(-1))).toBeLessThan(600_000);
    let next = 0;
    for await (const { text } of channel.lines) if (Number(text) === next) next++;
    expect(next).toBe(625_000);
    expect(await channel.exit).toBe(0);
  });

  test("that does not read its input is given no more once it is too much", async () => {
    const channel = await (await toPhone({ answer_timeout_s: 1 })).open(["sleep", "60"]);
    const writes = Array.from({ length: 400 }, () => channel.write("x".repeat(16_000)));
    const said = await Promise.allSettled(writes);
    const refused = said.filter((each) => each.status === "rejected");
    expect(refused.length).toBeGreaterThan(100);
    expect(refused.at(-1)!.reason).toMatchObject({ kind: "link", message: expect.stringMatching(/does not read its standard input/) });
    await channel.close();
  });
});

test("20 channels share the device", async () => {
  const transport = await toPhone();
  const channels = await Promise.all(Array.from({ length: 20 }, (_, i) => transport.open(["sh", "-c", `read x; echo $x ${i}`])));
  await Promise.all(channels.map((channel) => channel.write("answer")));
  const said = await Promise.all(channels.map((channel) => texts(channel.lines)));
  expect(said).toEqual(channels.map((_, i) => [`answer ${i}`]));
});

test("a device says who it is", async () => {
  expect(await (await toPhone()).identity()).toEqual({
    transport: "adb",
    serial: "41090DLJH0014B",
    manufacturer: "Google",
    model: "Pixel 8",
    soc: "Tensor G3",
    os_build: "google/shiba/shiba:15/AP4A.250105.002/12701944:user/release-keys",
    sdk: "35",
    machine: "arm64-v8a",
    boot_id: phone.boot_id,
  });
});

test("the device's own files and tools are there", async () => {
  const transport = await toPhone();
  phone.write("sys/class/thermal/thermal_zone0/temp", "71500\n");
  expect((await transport.run(["cat", "/sys/class/thermal/thermal_zone0/temp"])).output).toBe("71500\n");
  expect((await transport.run(["dumpsys", "battery"])).output).toMatch(/^Current Battery Service state:\n {2}AC powered: false\n/);
  await transport.run(["settings", "put", "global", "low_power", "1"]);
  expect((await transport.run(["settings", "get", "global", "low_power"])).output).toBe("1\n");
  const log = await transport.open(["logcat", "-v", "epoch"]);
  expect(await texts(log.lines, 1)).toEqual(["--------- beginning of main"]);
  await transport.run(["am", "start", "-n", "org.example/.Main"]);
  expect((await texts(log.lines, 1))[0]).toMatch(/^\d+\.\d+ .* I ActivityManager: start -n org\.example\/\.Main$/);
  await log.close();
});

describe("a port of the device", () => {
  test("is one of this host, connection by connection", async () => {
    const server = createServer((request, response) => request.pipe(response.writeHead(200))).listen(0, "127.0.0.1");
    await expect.poll(() => server.listening).toBe(true);
    const forward = await (await toPhone()).forward((server.address() as AddressInfo).port);
    try {
      const body = "0123456789".repeat(100_000);
      const ask = async (): Promise<boolean> => {
        const response = await fetch(`http://${forward.host}:${forward.port}/`, { method: "POST", body });
        return (await response.text()) === body;
      };
      expect(await Promise.all([ask(), ask(), ask()])).toEqual([true, true, true]);
    } finally {
      await forward.close();
      server.closeAllConnections();
      server.close();
    }
    await expect(fetch(`http://${forward.host}:${forward.port}/`)).rejects.toThrow();
  });

  test("on which nobody listens is refused", async () => {
    const forward = await (await toPhone()).forward(1);
    const socket = connect(forward.port, forward.host);
    const end = new Promise((resolve) => socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code)));
    expect(await end).toBe("ECONNRESET");
  });
});
