import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { openTransport, optionsFor, script, sharedTransport, texts } from "./ssh-bench.ts";

let jetson: Sshd;
let pi: Sshd;
beforeAll(async () => {
  [jetson, pi] = await Promise.all([startSshd({ tree: "jetson" }), startSshd({ tree: "pi" })]);
});
afterAll(() => Promise.all([jetson, pi].map((each) => each?.stop())));

const KINDS = ["ssh", "openssh"];

describe.each(KINDS)("%s", (kind) => {
  const toJetson = sharedTransport(kind, () => optionsFor(jetson, {}, kind));

  test("lines go both ways, whatever their characters and however they are chopped", async () => {
    const channel = await (await toJetson()).open(
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
  });

  test.each([0, 3, 127, 255])("exit code %i is the command's", async (code) => {
    // The system's ssh says 255 of a command that a signal ended, too.
    const expected = kind === "openssh" && code === 255 ? null : code;
    expect(await (await toJetson()).run(["sh", "-c", `exit ${code}`])).toEqual({ code: expected, output: "", complaint: "" });
  });

  test.each(["TERM", "KILL"])("an end by SIG%s has no exit code", async (signal) => {
    expect(await (await toJetson()).run(["sh", "-c", `echo before; kill -${signal} $$`])).toMatchObject({ code: null, output: "before\n" });
  });

  test("standard error is kept apart, and its end is kept", async () => {
    const channel = await (await toJetson()).open(["sh", "-c", "echo out; echo no model here >&2; exit 3"]);
    expect(await texts(channel.lines)).toEqual(["out"]);
    expect(await channel.exit).toBe(3);
    await expect.poll(() => channel.complaint()).toBe("no model here");
    await expect(channel.write("ping 1")).rejects.toMatchObject({
      kind: "link",
      message: expect.stringMatching(/^sh: .*exit code 3.*no model here$/),
    });
    const long = await (await toJetson()).run(script(`process.stderr.write("x".repeat(1e6) + "the reason")`));
    expect(long.complaint).toMatch(/^x{4086}the reason$/);
  });

  test("a command reads its input to the end", async () => {
    const { output } = await (await toJetson()).run(["sh", "-c", "wc -l; echo end"], { input: ["a", "b c", ""] });
    expect(output).toBe("3\nend\n");
    expect(await (await toJetson()).run(["cat"])).toMatchObject({ code: 0, output: "" });
  });

  test("a command that takes longer than its limit is ended", async () => {
    const transport = await toJetson();
    await expect(transport.run(["sleep", "4711"], { limit_ms: 50 })).rejects.toMatchObject({ kind: "link", message: /0.05 s/ });
    expect((await transport.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])).output).not.toContain("sleep 4711");
  });

  test.each([
    ["a command that is not there", ["no-such-command-4711"], /^no-such-command-4711: command not found on the device/],
    ["a file that is no program", ["/etc/passwd"], /not executable/],
    ["a command like an option", ["-v"], /dash/],
    ["an argument with a NUL", ["true", "a\0b"], /NUL/],
    ["no command", [], /no command given/],
    ["arguments of 200 kB", ["true", "x".repeat(200_000)], /128 KiB/],
  ])("%s is a mistake of the rig", async (_, argv, message) => {
    const transport = await toJetson();
    await expect(transport.open(argv)).rejects.toMatchObject({ kind: "config", message: expect.stringMatching(message) });
    expect((await transport.run(["echo", "still here"])).output).toBe("still here\n");
  });

  test("a command that heeds neither the end of its input nor SIGTERM is killed, with what it started", async () => {
    const transport = await toJetson();
    const channel = await transport.open(["sh", "-c", "trap 'echo no' TERM; sleep 4712 & echo ready; while :; do sleep 0.05; done"]);
    expect(await texts(channel.lines, 1)).toEqual(["ready"]);
    await channel.close();
    expect(await channel.exit).toBeNull();
    expect(await texts(channel.lines)).toEqual(["no"]);
    expect((await transport.run(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])).output).not.toContain("sleep 4712");
  });

  test("a reader that never comes does not keep the command from being closed", async () => {
    const channel = await (await toJetson()).open(["sh", "-c", "yes 0123456789012345678901234567890123456789"]);
    await channel.close();
    // What was read ahead and no more, however much it printed while it was being ended.
    expect((await texts(channel.lines)).length).toBeLessThan(40_000);
  });

  test("an eager command waits for its reader, and 5 MB of lines are whole", async () => {
    const progress = `${jetson.folder}/home/progress`;
    writeFileSync(progress, "");
    const channel = await (await toJetson()).open(
      script(`
        let n = 0;
        const some = () => Array.from({ length: 125 }, () => String(n++).padStart(7, "0") + "\\n").join("");
        const more = () => { while (n < 625000) if (!process.stdout.write(some())) return process.stdout.once("drain", more); };
        more();
        setInterval(() => require("fs").appendFileSync(process.env.HOME + "/progress", n + "\\n"), 50).unref();`),
    );
    // Standstill: it waits for us. 1 MiB is queued here, 2 MiB lie in the channel, the rest in pipes and windows.
    const said = () => readFileSync(progress, "utf8").trim().split("\n").slice(-4);
    await expect.poll(said, { timeout: 8000 }).toSatisfy((last: string[]) => last.length === 4 && new Set(last).size === 1);
    expect(Number(said().at(-1))).toBeLessThan(600_000);
    let next = 0;
    for await (const { text } of channel.lines) if (Number(text) === next) next++;
    expect(next).toBe(625_000);
    expect(await channel.exit).toBe(0);
  });

  test("input that nobody reads is refused once it is too much", async () => {
    const channel = await (await toJetson()).open(["sleep", "60"]);
    const writes = Array.from({ length: 400 }, () => channel.write("x".repeat(16_000)));
    const refused = Promise.any(
      writes.map((each) =>
        each.then(
          () => Promise.reject(),
          (error) => error,
        ),
      ),
    );
    await expect(refused).resolves.toMatchObject({ kind: "link", message: expect.stringMatching(/does not read its standard input/) });
    await channel.close();
    expect((await Promise.allSettled(writes)).some(({ status }) => status === "fulfilled")).toBe(true);
  });

  test("20 channels share the device", async () => {
    const transport = await toJetson();
    const channels = await Promise.all(Array.from({ length: 20 }, (_, i) => transport.open(["sh", "-c", `read x; echo $x ${i}`])));
    await Promise.all(channels.map((channel) => channel.write("answer")));
    const said = await Promise.all(channels.map((channel) => texts(channel.lines)));
    expect(said).toEqual(channels.map((_, i) => [`answer ${i}`]));
  });

  test("what a login script prints is not the command's", async () => {
    writeFileSync(`${pi.folder}/home/.bashrc`, "echo welcome to this device\nprintf 'no newline '\necho careful >&2\n");
    const transport = await openTransport(kind, optionsFor(pi, {}, kind));
    expect(await transport.run(["echo", "mine"])).toMatchObject({ output: "mine\n", complaint: "careful" });
    rmSync(`${pi.folder}/home/.bashrc`);
  });

  test("tells devices and boots apart", async () => {
    const [ours, other] = await Promise.all([toJetson(), openTransport(kind, optionsFor(pi, {}, kind))]);
    expect(await ours.identity()).toEqual({
      transport: kind,
      serial: "1424023012345",
      hostname: expect.stringMatching(/./),
      model: "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super",
      soc: "nvidia,tegra234",
      os_build: "Ubuntu 22.04.5 LTS, L4T 36.4.3",
      kernel: expect.stringMatching(/^Linux \d/),
      machine: expect.stringMatching(/./),
      boot_id: readFileSync(`${jetson.root}/boot_id`, "utf8").trim(),
    });
    const before = await other.identity();
    expect(before).toMatchObject({ serial: "2f8c1e6a7b9d0c34", soc: "brcm,bcm2712", model: "Raspberry Pi 5 Model B Rev 1.0" });
    await pi.reboot();
    await other.reconnect();
    const after = await other.identity();
    expect(after.boot_id).not.toBe(before.boot_id);
    expect({ ...after, boot_id: before.boot_id }).toEqual(before);
  });

  test("the device's own files and tools are there", async () => {
    const [ours, other] = await Promise.all([toJetson(), openTransport(kind, optionsFor(pi, {}, kind))]);
    expect((await ours.run(["cat", "/sys/class/thermal/thermal_zone2/temp"])).output).toBe("-256000\n");
    jetson.write("sys/class/thermal/thermal_zone0/temp", "71500\n");
    const stats = await ours.open(["tegrastats", "--interval", "20"]);
    expect((await texts(stats.lines, 2))[1]).toMatch(/ cpu@71\.500C .* VDD_IN 7503mW\/7503mW/);
    await stats.close();
    expect((await other.run(["vcgencmd", "get_throttled"])).output).toBe("throttled=0x0\n");
  });
});
