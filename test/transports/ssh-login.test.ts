import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { freePort } from "../e2e/loopback.ts";
import { makeKey, type Sshd, startSshd } from "../sshd/sshd.ts";
import { openTransport, optionsFor } from "./ssh-bench.ts";

let sshd: Sshd;
let home: string;
beforeAll(async () => {
  sshd = await startSshd({ config: ["PasswordAuthentication yes", "MaxAuthTries 3"] });
  for (const name of ["stranger", "locked"]) makeKey(join(sshd.folder, name), "ed25519", name === "locked" ? "open sesame" : "");
  writeFileSync(
    join(sshd.folder, "authorized_keys"),
    ["user_key", "locked"].map((name) => readFileSync(join(sshd.folder, `${name}.pub`))).join(""),
  );
});
afterAll(() => sshd?.stop());
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "joulebench-home-"));
  mkdirSync(join(home, ".ssh"));
  vi.stubEnv("HOME", home);
  vi.stubEnv("SSH_AUTH_SOCK", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

const open = (more: object = {}) => openTransport("ssh", optionsFor(sshd, { key: undefined, ...more }));
const file = (name: string) => join(sshd.folder, name);
const refused = (message: RegExp, kind = "config") => ({ kind, message: expect.stringMatching(message) });

describe("keys", () => {
  test("at home are found", async () => {
    copyFileSync(sshd.key, join(home, ".ssh/id_ed25519"));
    expect((await (await open()).run(["echo", "in"])).output).toBe("in\n");
    await open({ key: "~/.ssh/id_ed25519" });
  });

  test("that the device does not know are named", async () => {
    await expect(open({ key: file("stranger") })).rejects.toMatchObject(
      refused(
        /^bench@127.0.0.1:\d+: it does not let bench in .*Offered: .*stranger \(ssh-ed25519\); it accepts: publickey,\s?password;.* ssh-copy-id -p \d+ bench@127/,
      ),
    );
  });

  test("that are not there at all are missed", async () => {
    await expect(open()).rejects.toMatchObject(refused(/Offered: nothing: there was no key to offer/));
    await expect(open({ key: "/no/such/key" })).rejects.toMatchObject(refused(/cannot use the key \/no\/such\/key: .*no such file/i));
    await expect(open({ key: "/etc/hostname" })).rejects.toMatchObject(refused(/cannot use the key \/etc\/hostname/));
    await expect(open({ key: `${sshd.key}.pub` })).rejects.toMatchObject(refused(/no private key/));
  });

  test("that are encrypted need their passphrase", async () => {
    await expect(open({ key: file("locked") })).rejects.toMatchObject(refused(/it is encrypted; .*passphrase_env.*ssh-add/));
    copyFileSync(file("locked"), join(home, ".ssh/id_ed25519"));
    await expect(open()).rejects.toMatchObject(refused(/not offered: .*id_ed25519 .*ssh-add/));
    await expect(open({ passphrase_env: "PASSPHRASE" })).rejects.toMatchObject(refused(/no variable PASSPHRASE/));
    vi.stubEnv("PASSPHRASE", "wrong");
    await expect(open({ key: file("locked"), passphrase_env: "PASSPHRASE" })).rejects.toMatchObject(refused(/passphrase/));
    vi.stubEnv("PASSPHRASE", "open sesame");
    await open({ key: file("locked"), passphrase_env: "PASSPHRASE" });
    await open({ passphrase_env: "PASSPHRASE" });
  });
});

describe("the agent", () => {
  let agent: ReturnType<typeof spawn>;
  beforeEach(async () => {
    const socket = join(home, "agent");
    agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "inherit"] });
    await once(agent.stdout!, "data");
    vi.stubEnv("SSH_AUTH_SOCK", socket);
  });
  afterEach(async () => {
    agent.kill();
    await once(agent, "exit");
  });

  const add = (name: string) => {
    copyFileSync(file(name), join(home, name));
    execFileSync("ssh-add", ["-q", join(home, name)], { stdio: "ignore" });
  };

  test("has keys that are let in, the first one or not", async () => {
    add("stranger");
    add("user_key");
    expect((await (await open()).run(["echo", "in"])).output).toBe("in\n");
  });

  test("is not asked where the rig says so or names a key", async () => {
    add("user_key");
    await expect(open({ agent: false })).rejects.toMatchObject(refused(/no key to offer/));
    await expect(open({ key: file("stranger") })).rejects.toMatchObject(refused(/Offered: [^,]*stranger[^,]*;/));
  });

  test("without keys, or gone, leaves the files", async () => {
    copyFileSync(sshd.key, join(home, ".ssh/id_ed25519"));
    await open();
    vi.stubEnv("SSH_AUTH_SOCK", join(home, "no-agent"));
    await open();
    rmSync(join(home, ".ssh/id_ed25519"));
    await expect(open()).rejects.toMatchObject(refused(/Offered: the agent's keys; it accepts/));
  });

  test("with too many keys for the device is told", async () => {
    for (const name of ["a", "b", "c", "d"]) {
      makeKey(file(name), "ed25519");
      add(name);
    }
    await expect(open()).rejects.toMatchObject(refused(/Too many authentication failures.*the agent's keys/));
  });
});

describe("passwords", () => {
  test("come from the environment", async () => {
    vi.stubEnv("PASSWORD", "bench");
    await open({ password_env: "PASSWORD" });
    vi.stubEnv("PASSWORD", "wrong");
    await expect(open({ password_env: "PASSWORD" })).rejects.toMatchObject(refused(/Offered: the password in PASSWORD; it accepts/));
    await expect(open({ password_env: "NO_SUCH_VARIABLE" })).rejects.toMatchObject(refused(/no variable NO_SUCH_VARIABLE/));
  });

  test("are not asked for, nor are other questions answered", async () => {
    const asking = await startSshd({
      config: ["PubkeyAuthentication no", "PasswordAuthentication yes", "KbdInteractiveAuthentication yes"],
    });
    try {
      await expect(openTransport("ssh", optionsFor(asking))).rejects.toMatchObject(
        refused(/it accepts: password, keyboard-interactive; questions of the host are never answered: use a key, or `password_env`/),
      );
    } finally {
      await asking.stop();
    }
  });
});

describe("a host that is not there", () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());
  const at = async (listening: Server) => {
    server = listening;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };

  test.each([
    ["a port on which nobody listens", freePort, {}, /cannot be reached: connect ECONNREFUSED/],
    ["a name that nobody has", freePort, { host: "no-such-host.invalid" }, /cannot be reached: .*no-such-host.invalid/],
    ["a host that says nothing", () => at(createServer(() => {})), { connect_timeout_s: 0.2 }, /does not answer in time/],
    ["a host that hangs up", () => at(createServer((socket) => socket.destroy())), {}, /login failed|cannot be reached/],
    ["another kind of server", () => at(createHttpServer() as unknown as Server), { connect_timeout_s: 2 }, /login failed|in time/],
  ])("%s", async (_, portOf, more, message) => {
    await expect(open({ key: sshd.key, port: await portOf(), ...more })).rejects.toMatchObject(refused(message, "link"));
  });
});
