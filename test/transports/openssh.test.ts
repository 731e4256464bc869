import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { freePort } from "../e2e/loopback.ts";
import { childrenOf, commandOf } from "../sshd/processes.ts";
import { makeKey, type Sshd, startSshd } from "../sshd/sshd.ts";
import { openTransport, optionsFor, texts } from "./ssh-bench.ts";

let sshd: Sshd;
let jump: Sshd;
beforeAll(async () => {
  [sshd, jump] = await Promise.all([startSshd(), startSshd({ tree: "pi" })]);
  makeKey(file("stranger"), "ed25519");
});
afterAll(() => Promise.all([sshd, jump].map((each) => each?.stop())));
beforeEach(() => vi.stubEnv("SSH_AUTH_SOCK", undefined));
afterEach(() => vi.unstubAllEnvs());

const file = (name: string) => join(sshd.folder, name);
const open = (more: object = {}) => openTransport("openssh", optionsFor(sshd, more, "openssh"));
const clients = () =>
  childrenOf(process.pid)
    .map(commandOf)
    .filter((command) => command.startsWith("ssh "));
const refused = (kind: string, message: RegExp) => ({ kind, message: expect.stringMatching(message) });

test("the user's own configuration leads to the device, through another host", async () => {
  const login = (host: Sshd) => [`  HostName ${host.host}`, `  Port ${host.port}`, `  User ${host.user}`, `  IdentityFile ${host.key}`];
  const config = [
    "Host gate",
    ...login(jump),
    "Host jetson",
    ...login(sshd),
    "  ProxyJump gate",
    "Host *",
    `  UserKnownHostsFile ${file("both")}`,
  ];
  // What a user has there must not get in our way.
  const further = [
    "  RequestTTY force",
    "  RemoteCommand echo mine",
    "  ControlMaster auto",
    `  ControlPath ${file("theirs-%n")}`,
    "  LogLevel QUIET",
  ];
  writeFileSync(file("config"), [...config, ...further, ""].join("\n"));
  writeFileSync(file("both"), `${sshd.entry("ed25519")}\n${jump.entry("ed25519")}\n`);
  const transport = await openTransport("openssh", { host: "jetson", config: file("config") });
  expect(await transport.identity()).toMatchObject({ transport: "openssh", serial: "1424023012345" });
  expect(jump.sessions()).toHaveLength(1);
  expect(readdirSync(sshd.folder)).not.toContain("theirs-jetson");
});

test("commands share a connection, or have one each", async () => {
  const shared = await open();
  await Promise.all([shared.open(["cat"]), shared.open(["cat"])]);
  expect(sshd.sessions()).toHaveLength(1);
  await shared.close();
  const apart = await open({ multiplex: false });
  const channels = await Promise.all([apart.open(["cat"]), apart.open(["cat"])]);
  expect(sshd.sessions()).toHaveLength(2);
  await channels[0]!.write("mine");
  expect(await texts(channels[0]!.lines, 1)).toEqual(["mine"]);
  writeFileSync(file("local"), "content");
  await apart.push(file("local"), file("there"));
  await apart.pull(file("there"), file("back"));
  sshd.killSessions();
  await expect(channels[0]!.exit).rejects.toMatchObject(refused("link", /^cat: .*closed by remote host/));
  expect((await apart.run(["echo", "next"])).output).toBe("next\n");
  await apart.reconnect();
});

test("nothing is left behind: no process, no folder", async () => {
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith("joulebench-ssh-"));
  const before = left();
  const transport = await open();
  await transport.open(["sleep", "60"]);
  expect(clients().length).toBeGreaterThan(0);
  expect(left().length).toBeGreaterThan(before.length);
  await transport.close();
  expect(clients()).toEqual([]);
  expect(left()).toEqual(before);
  await expect(open({ port: await freePort() })).rejects.toMatchObject({ kind: "link" });
  expect(left()).toEqual(before);
});

describe.each([true, false])("with multiplex %s, ssh's own words say why", (multiplex) => {
  test.each([
    ["an unknown host key", { options: ["UserKnownHostsFile=/dev/null"] }, "config", /host key .*verification failed/i],
    [
      "a key that is not let in",
      () => ({ key: file("stranger"), options: [known(), "IdentitiesOnly=yes"] }),
      "config",
      /Permission denied \(publickey\)/,
    ],
    ["an option that ssh does not know", () => ({ options: [known(), "NoSuchOption=1"] }), "config", /nosuchoption/i],
    ["a port on which nobody listens", async () => ({ port: await freePort() }), "link", /Connection refused/],
    ["a name that nobody has", { host: "no-such-host.invalid" }, "link", /resolve/i],
    ["no such program", { program: "/no/such/ssh" }, "config", /cannot start: .*install the OpenSSH client/],
  ] as const)("%s", async (...[, more, kind, message]) => {
    const options = typeof more === "function" ? await more() : more;
    await expect(open({ ...options, multiplex })).rejects.toMatchObject(refused(kind, message));
  });

  test("a changed host key", async () => {
    writeFileSync(file("changed"), `${jump.entry("ed25519", `[127.0.0.1]:${sshd.port}`)}\n`);
    const options = [`UserKnownHostsFile=${file("changed")}`];
    await expect(open({ options, multiplex })).rejects.toMatchObject(refused("config", /host key .*changed.*verification failed/i));
  });

  test("a host that says nothing", async () => {
    const silent: Server = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as { port: number };
    await expect(open({ port, connect_timeout_s: 1, multiplex })).rejects.toMatchObject(refused("link", /within 1 s|timed out/));
    silent.close();
  });
});

test("the agent's keys are used", async () => {
  const agent = spawn("ssh-agent", ["-D", "-a", file("agent")], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(agent.stdout, "data");
    vi.stubEnv("SSH_AUTH_SOCK", file("agent"));
    const adding = spawn("ssh-add", ["-q", sshd.key], { stdio: "ignore" });
    expect(await once(adding, "exit")).toEqual([0, null]);
    expect((await (await open({ key: undefined })).run(["echo", "in"])).output).toBe("in\n");
  } finally {
    agent.kill();
    await once(agent, "exit");
  }
});

function known(): string {
  return `UserKnownHostsFile=${sshd.knownHosts}`;
}
