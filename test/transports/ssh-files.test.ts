import { execFileSync } from "node:child_process";
import { createCipheriv } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { Agent, createServer, get, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../e2e/loopback.ts";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { optionsFor, sharedTransport } from "./ssh-bench.ts";

const KINDS = ["ssh", "openssh"];

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd?.stop());

describe.each(KINDS)("files over %s", (kind) => {
  const opened = sharedTransport(kind, () => optionsFor(sshd, {}, kind));
  const here = (name: string) => join(sshd.folder, `${kind} ${name}`);

  test("of 20 MB go there and back unchanged", async () => {
    const content = createCipheriv("aes-128-ctr", Buffer.alloc(16, 1), Buffer.alloc(16)).update(Buffer.alloc(20e6));
    const [from, there, back] = ["from", "there", "back"].map(here) as [string, string, string];
    writeFileSync(from, content);
    const transport = await opened();
    await transport.push(from, there);
    expect(readFileSync(there).equals(content)).toBe(true);
    await transport.pull(there, back);
    expect(readFileSync(back).equals(content)).toBe(true);
  });

  test.each(["it's a $(id) `id` *", "-rf", 'q"uo\\te Grüße'])("named %j keep name and mode", async (name) => {
    const folder = here("names");
    mkdirSync(folder, { recursive: true });
    const [from, there, back] = [join(folder, name), join(folder, `${name} there`), join(folder, `${name} back`)] as const;
    writeFileSync(from, `#!/bin/sh\necho ran\n`);
    chmodSync(from, 0o751);
    const transport = await opened();
    await transport.push(from, there);
    await transport.pull(there, back);
    expect([there, back].map((each) => statSync(each).mode & 0o7777)).toEqual([0o751, 0o751]);
    expect((await transport.run([there])).output).toBe("ran\n");
    expect(readdirSync(folder).filter((each) => each.includes("joulebench"))).toEqual([]);
  });

  test("replace what is there, even while it runs", async () => {
    const [from, there] = [here("tool"), here("tool there")] as const;
    execFileSync("cp", ["/bin/sleep", there]);
    const transport = await opened();
    const running = await transport.open([there, "60"]);
    writeFileSync(from, "#!/bin/sh\necho new\n", { mode: 0o755 });
    await transport.push(from, there);
    expect((await transport.run([there])).output).toBe("new\n");
    await running.close();
    writeFileSync(from, "");
    await transport.push(from, there);
    await transport.pull(there, from);
    expect([statSync(there).size, statSync(from).size]).toEqual([0, 0]);
  });

  test("of the kernel are pulled whole, though they say to be empty", async () => {
    const transport = await opened();
    await transport.pull("/proc/version", here("version"));
    expect(readFileSync(here("version"), "utf8")).toBe(readFileSync("/proc/version", "utf8"));
  });

  test("that are not there, or have no room, leave what was here", async () => {
    const transport = await opened();
    const kept = here("kept");
    writeFileSync(kept, "kept");
    await expect(transport.pull("/no/such/file", kept)).rejects.toMatchObject({
      kind: "config",
      message: /cannot copy \/no\/such\/file to .*No such/i,
    });
    await expect(transport.pull("/etc", kept)).rejects.toMatchObject({ kind: "config", message: /\/etc/ });
    await expect(transport.push("/no/such/file", kept)).rejects.toMatchObject({ kind: "config", message: /no such/i });
    await expect(transport.push(kept, "/no/such/folder/x")).rejects.toMatchObject({
      kind: "config",
      message: /\/no\/such\/folder\/x.*No such/i,
    });
    expect(readFileSync(kept, "utf8")).toBe("kept");
    expect(existsSync(`${kept}.joulebench-part`)).toBe(false);
  });

  test("with a line break in their names", async () => {
    const [from, there] = [here("from"), here("line\nbreak")] as const;
    writeFileSync(from, "content");
    const transport = await opened();
    if (kind === "ssh") {
      await transport.push(from, there);
      expect(readFileSync(there, "utf8")).toBe("content");
    } else await expect(transport.push(from, there)).rejects.toMatchObject({ kind: "config", message: /line break/ });
  });

  test("through a link change the file it names on the way back only", async () => {
    const [target, link] = [here("target"), here("link")] as const;
    writeFileSync(target, "content");
    symlinkSync(target, link);
    await (await opened()).pull(link, here("copy"));
    expect(readFileSync(here("copy"), "utf8")).toBe("content");
  });
});

describe.each(KINDS)("a port over %s", (kind) => {
  let server: Server;
  beforeAll(async () => {
    server = createServer((request, response) => {
      let bytes = 0;
      request.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      request.on("end", () => response.end(JSON.stringify({ url: request.url, bytes, body: "x".repeat(1e6) })));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const opened = sharedTransport(kind, () => optionsFor(sshd, {}, kind));
  const port = () => (server.address() as AddressInfo).port;

  test("answers HTTP as on the device, several at a time and again", async () => {
    const transport = await opened();
    const forward = await transport.forward(port());
    expect(forward).toMatchObject({ host: "127.0.0.1", port: expect.any(Number) });
    const ask = async (path: string) => {
      const response = await fetch(`http://${forward.host}:${forward.port}${path}`, { method: "POST", body: "y".repeat(300_000) });
      return (await response.json()) as { url: string; bytes: number; body: string };
    };
    const answers = await Promise.all(["/a", "/b", "/c", "/d"].map(ask));
    expect(answers.map(({ url, bytes, body }) => [url, bytes, body.length])).toEqual(
      ["/a", "/b", "/c", "/d"].map((url) => [url, 300_000, 1e6]),
    );
    await forward.close();
    await expect(ask("/e")).rejects.toThrow();
    await forward.close();
    const next = await transport.forward(port());
    expect(await fetch(`http://127.0.0.1:${next.port}/f`).then((response) => response.status)).toBe(200);
  });

  test("ends with its transport, and with a new connection", async () => {
    const transport = await opened();
    const forward = await transport.forward(port());
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      get({ port: forward.port, agent }, (response) => response.resume().once("end", resolve)).once("error", reject);
    });
    await transport.reconnect();
    await expect(fetch(`http://127.0.0.1:${forward.port}/`)).rejects.toThrow();
    agent.destroy();
  });

  test("on which nobody listens says nothing", async () => {
    const forward = await (await opened()).forward(await freePort());
    const socket = connect(forward.port, "127.0.0.1").resume();
    const end = await new Promise((resolve) => socket.once("error", resolve).once("end", () => resolve({ code: "END" })));
    // The system's ssh cannot tell us apart from one that ends at once.
    expect(end).toMatchObject({ code: kind === "ssh" ? "ECONNRESET" : expect.stringMatching(/^(END|ECONNRESET)$/) });
  });
});
