import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { openTransport, optionsFor } from "./ssh-bench.ts";

let sshd: Sshd;
let jump: Sshd;
let file: string;
beforeAll(async () => {
  [sshd, jump] = await Promise.all([startSshd({ hostKeys: ["ed25519", "rsa", "ecdsa"] }), startSshd({ tree: "pi" })]);
  file = join(sshd.folder, "mine");
});
afterAll(() => Promise.all([sshd, jump].map((each) => each?.stop())));
beforeEach(() => writeFileSync(file, ""));
afterEach(() => vi.unstubAllEnvs());

const open = (more: object = {}) => openTransport("ssh", optionsFor(sshd, { known_hosts: [file], ...more }));
const hostName = () => `[127.0.0.1]:${sshd.port}`;
const fingerprintOf = (type: string) =>
  /SHA256:\S+/.exec(execFileSync("ssh-keygen", ["-lf", join(sshd.folder, `host_${type}.pub`)], { encoding: "utf8" }))![0];

/** Runs the command that a message ends with, as its reader would. */
function follow(message: string): void {
  execFileSync("sh", ["-c", /(ssh-keyscan .*)$/.exec(message)![1]!], { stdio: ["ignore", "pipe", "ignore"] });
}

async function refusal(more?: object): Promise<string> {
  const error = await open(more).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toMatchObject({ kind: "config" });
  return error.message;
}

test("an unknown host is refused with its fingerprint, and the command that makes it known works", async () => {
  const message = await refusal();
  expect(message).toContain(
    `bench@127.0.0.1:${sshd.port}: its host key is not known; it shows the ssh-ed25519 key ${fingerprintOf("ed25519")}`,
  );
  expect(message).toMatch(new RegExp(`run: ssh-keyscan -p ${sshd.port} -t ed25519 127\\.0\\.0\\.1 >> ${file}$`));
  follow(message);
  expect((await (await open()).run(["echo", "in"])).output).toBe("in\n");
});

test("a changed key is refused, and the commands that replace it work", async () => {
  writeFileSync(file, `# of my bench\n${jump.entry("ed25519", hostName())}\n`);
  const message = await refusal();
  expect(message).toContain(`its host key is not the one at ${file}:2`);
  expect(message).toContain(fingerprintOf("ed25519"));
  const forget = /run: (ssh-keygen .*?);/.exec(message)![1]!;
  execFileSync("sh", ["-c", forget], { stdio: "ignore" });
  follow(message);
  await open();
  expect(readFileSync(file, "utf8")).not.toContain(jump.entry("ed25519", hostName()));
});

test.each(["rsa", "ecdsa"] as const)("a host of which only the %s key is known shows that one", async (type) => {
  writeFileSync(file, `${sshd.entry(type)}\n`);
  await open();
});

test("a hashed file and several files are read", async () => {
  writeFileSync(file, `${sshd.entry("ed25519")}\n`);
  execFileSync("ssh-keygen", ["-H", "-f", file], { stdio: "ignore" });
  await open({ known_hosts: [jump.knownHosts, file] });
  await expect(open({ known_hosts: [jump.knownHosts] })).rejects.toMatchObject({ kind: "config" });
});

test("without a named file the one at home counts", async () => {
  vi.stubEnv("HOME", join(sshd.folder, "home"));
  execFileSync("mkdir", ["-p", join(sshd.folder, "home/.ssh")]);
  expect(await refusal({ known_hosts: undefined })).toMatch(/>> .*\/home\/\.ssh\/known_hosts$/);
  writeFileSync(join(sshd.folder, "home/.ssh/known_hosts"), `${sshd.entry("ed25519")}\n`);
  await open({ known_hosts: undefined });
  await open({ known_hosts: ["~/.ssh/known_hosts"] });
});

test("a named file that is not there is a mistake", async () => {
  expect(await refusal({ known_hosts: ["/no/such/file"] })).toMatch(/cannot read known_hosts \/no\/such\/file/);
});

test("a revoked key and a certificate authority are refused", async () => {
  writeFileSync(file, `@cert-authority * ${sshd.entry("rsa").split(" ").slice(1).join(" ")}\n`);
  expect(await refusal()).toMatch(/certificate authority .*use the transport `openssh`/);
  appendFileSync(file, `${sshd.entry("ed25519")}\n`);
  await open();
  appendFileSync(file, `@revoked * ${sshd.entry("ed25519").split(" ").slice(1).join(" ")}\n`);
  expect(await refusal()).toMatch(new RegExp(`revoked at ${file}:3`));
});

describe("behind another host", () => {
  const way = () => [{ host: jump.host, port: jump.port, user: jump.user, key: jump.key }];

  test("commands reach the device", async () => {
    writeFileSync(file, `${sshd.entry("ed25519")}\n${jump.entry("ed25519")}\n`);
    const transport = await open({ jump: way() });
    expect(await transport.identity()).toMatchObject({ serial: "1424023012345" });
    expect(jump.sessions()).toHaveLength(1);
    await transport.reconnect();
    expect((await transport.run(["cat", "/sys/class/thermal/thermal_zone2/temp"])).output).toBe("-256000\n");
    jump.killSessions();
    await expect(transport.open(["true"])).rejects.toMatchObject({ kind: "link" });
  });

  test("the key of each is verified, and the message says how to see it", async () => {
    expect(await refusal({ jump: way() })).toMatch(new RegExp(`127.0.0.1:${jump.port}: its host key is not known.*ssh-keyscan`));
    writeFileSync(file, `${jump.entry("ed25519")}\n`);
    const seen = `ssh -o UserKnownHostsFile=${file} -J bench@127.0.0.1:${jump.port} -p ${sshd.port} bench@127.0.0.1 true`;
    expect(await refusal({ jump: way() })).toMatch(new RegExp(`127.0.0.1:${sshd.port}: its host key is not known.* run: ${seen}$`));
  });

  test("a device that it cannot reach is named", async () => {
    writeFileSync(file, `${jump.entry("ed25519")}\n`);
    await expect(open({ jump: way(), port: 1 })).rejects.toMatchObject({
      kind: "link",
      message: expect.stringMatching(/^bench@127.0.0.1:1: cannot be reached from bench@127.0.0.1:\d+: .*refused/),
    });
  });
});
