import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Channel, Transport } from "../../src/model/transport.ts";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { openTransport, optionsFor, texts } from "./ssh-bench.ts";

const KINDS = ["ssh", "openssh"];

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd?.stop());
afterEach(() => sshd.thaw());

/** How a channel ends, and when, in ms from now. */
async function endOf(channel: Channel): Promise<{ end: unknown; after_ms: number }> {
  const from = performance.now();
  const end = await channel.exit.catch((error) => error);
  return { end, after_ms: performance.now() - from };
}

const LOST = { kind: "link", message: expect.stringMatching(/./) };

describe.each(KINDS)("%s", (kind) => {
  const opened = (more: object = {}): Promise<Required<Transport>> => openTransport(kind, optionsFor(sshd, more, kind));

  test("a ping is answered without waiting for a delayed acknowledgement", async () => {
    // A line that is not answered leaves the next one waiting for its acknowledgement, unless the transport knows better.
    const channel = await (await opened()).open(["sh", "-c", "while read -r line; do [ $line = note ] || echo $line; done"]);
    const times: number[] = [];
    for (let i = 0; i < 200; i++) {
      const from = performance.now();
      await channel.write("note");
      await channel.write(`ping-${i}`);
      expect(await texts(channel.lines, 1)).toEqual([`ping-${i}`]);
      times.push(performance.now() - from);
    }
    times.sort((a, b) => a - b);
    expect(times[100]).toBeLessThan(10);
  });

  test("a session that is killed is a lost link, at once, and what was said before is kept", async () => {
    const transport = await opened();
    const channel = await transport.open(["sh", "-c", "echo last; exec sleep 60"]);
    const forward = await transport.forward(1);
    expect(await texts(channel.lines, 1)).toEqual(["last"]);
    const ended = endOf(channel);
    sshd.killSessions();
    const { end, after_ms } = await ended;
    expect(end).toMatchObject(LOST);
    expect(after_ms).toBeLessThan(1500);
    expect(await texts(channel.lines)).toEqual([]);
    await expect(channel.write("ping")).rejects.toMatchObject(LOST);
    await expect(transport.open(["true"])).rejects.toMatchObject(LOST);
    await expect(transport.forward(1)).rejects.toMatchObject(LOST);
    await expect(transport.pull("/proc/version", "/dev/null")).rejects.toMatchObject(LOST);
    await channel.close();
    await forward.close();
    await transport.reconnect();
    expect((await transport.run(["echo", "again"])).output).toBe("again\n");
  });

  test.each([{}, { multiplex: false }])("half a line is none when the link is lost, and one when the command ends (%o)", async (more) => {
    const transport = await opened(kind === "openssh" ? more : {});
    expect(await transport.run(["sh", "-c", "printf half; exit 3"])).toMatchObject({ code: 3, output: "half\n" });
    const channel = await transport.open(["sh", "-c", "echo whole; printf half; echo said >&2; exec sleep 60"]);
    await expect.poll(() => channel.complaint()).toContain("said");
    sshd.killSessions();
    await expect(channel.exit).rejects.toMatchObject(LOST);
    expect(await texts(channel.lines)).toEqual(["whole"]);
  });

  test("a command that is running while its link is lost runs on", async () => {
    const transport = await opened();
    const channel = await transport.open(["sh", "-c", "echo $$; trap '' PIPE HUP; while :; do sleep 0.05; done"]);
    const [pid] = await texts(channel.lines, 1);
    sshd.killSessions();
    await expect(channel.exit).rejects.toMatchObject(LOST);
    await transport.reconnect();
    expect(await transport.run(["kill", "-KILL", pid!])).toMatchObject({ code: 0 });
  });

  test("a frozen device ends nothing, until it is silent for too long", async () => {
    const transport = await opened({ silence_s: 3, connect_timeout_s: 1 });
    const channel = await transport.open(["cat"]);
    await channel.write("before");
    expect(await texts(channel.lines, 1)).toEqual(["before"]);
    const ended = endOf(channel);
    sshd.freeze();
    await channel.write("while frozen");
    await expect(transport.open(["true"])).rejects.toMatchObject({ kind: "link", message: expect.stringMatching(/no answer within 1 s/) });
    const { end, after_ms } = await ended;
    expect(end).toMatchObject({
      kind: "link",
      message: expect.stringMatching(/the link is lost: (no answer for 3 s|ssh says: Timeout, server .* not responding)/),
    });
    // ssh sends its keepalives by a clock of its own, whose beat may just have begun or passed.
    expect(after_ms).toBeGreaterThan(1000);
    expect(after_ms).toBeLessThan(6000);
    expect(await texts(channel.lines)).toEqual([]);
    await expect(transport.reconnect()).rejects.toMatchObject({ kind: "link" });
    sshd.thaw();
    await transport.reconnect();
    expect((await transport.run(["echo", "again"])).output).toBe("again\n");
  });

  test("a device frozen for less than that loses nothing", async () => {
    const transport = await opened({ silence_s: 8 });
    const channel = await transport.open(["cat"]);
    sshd.freeze();
    const answer = texts(channel.lines, 1);
    await channel.write("while frozen");
    expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 1000, "silent"))])).toBe("silent");
    sshd.thaw();
    expect(await answer).toEqual(["while frozen"]);
    await channel.close();
    expect(await channel.exit).toBe(0);
  });

  test("a frozen device does not keep anybody from closing or connecting anew", async () => {
    const transport = await opened({ silence_s: 60, connect_timeout_s: 1 });
    const channel = await transport.open(["cat"]);
    sshd.freeze();
    await expect(transport.reconnect()).rejects.toMatchObject({ kind: "link" });
    await expect(channel.exit).rejects.toMatchObject(LOST);
    sshd.thaw();
    await transport.reconnect();
    await transport.open(["sleep", "60"]);
    sshd.freeze();
    const from = performance.now();
    await transport.close().catch((error) => expect(error).toMatchObject({ kind: "link" }));
    expect(performance.now() - from).toBeLessThan(8000);
  });

  test("a reboot ends every channel, and the new boot has another id", async () => {
    const transport = await opened();
    const before = await transport.identity();
    const channel = await transport.open(["sleep", "60"]);
    await sshd.reboot();
    await expect(channel.exit).rejects.toMatchObject(LOST);
    await transport.reconnect();
    const after = await transport.identity();
    expect([after.serial, after.boot_id === before.boot_id]).toEqual([before.serial, false]);
  });
});

test("whoever connects to a forward whose link is lost is reset", async () => {
  const transport = await openTransport("ssh", optionsFor(sshd));
  const channel = await transport.open(["cat"]);
  const { host, port } = await transport.forward(1);
  sshd.killSessions();
  await expect(channel.exit).rejects.toMatchObject(LOST);
  const client = connect(port, host, () => client.write("GET / HTTP/1.1\r\n"));
  const [error] = (await once(client, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNRESET");
}, 20_000);
