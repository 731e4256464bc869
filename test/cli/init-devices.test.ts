import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sshTransport } from "../../src/cli/init-devices.ts";
import { rigText } from "../../src/cli/init-rig.ts";
import { parseRig, type Rig } from "../../src/rig/rig.ts";
import { AdbServer } from "../adbd/adb-server.ts";
import { type Phone, startPhone } from "../adbd/phone.ts";
import { scratch } from "../e2e/bench.ts";
import { type Ended, joulebench } from "../e2e/joulebench.ts";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { Usbmuxd } from "../usbmuxd/usbmuxd.ts";

/* The devices that init finds, and the rig it writes of them: a real adb server, a real sshd, a stand-in for usbmuxd. */

const { dir, remove } = scratch();
afterAll(remove);

interface Written extends Ended {
  /** Standard output in one line. */
  readonly said: string;
  readonly text: string;
  readonly rig: Rig;
}

/** Runs init in a folder of its own and reads what it wrote. */
async function init(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Written> {
  const cwd = mkdtempSync(join(dir, "init-"));
  const ended = await joulebench(["init", "--port", "/dev/ttyNOWHERE0", ...args], { cwd, env });
  expect([ended.code, ended.stderr]).toEqual([0, expect.stringMatching(/^asking .*…\nlooking for .*…\n$/)]);
  // A command stays whole, however long the path in it is.
  expect(ended.stdout.split("\n").filter((line) => line.length > 80 && !line.startsWith("    ssh-keyscan"))).toEqual([]);
  const text = readFileSync(join(cwd, "rigs/bench.yaml"), "utf8");
  return { ...ended, said: ended.stdout.replace(/\s+/g, " "), text, rig: parseRig(text, "bench.yaml") };
}

/** An environment in which `server` is the adb of this machine. */
const withAdb = ({ home, port }: AdbServer): Readonly<Record<string, string>> => ({
  PATH: `${home}:${process.env.PATH}`,
  ANDROID_ADB_SERVER_PORT: String(port),
});
const WITHOUT_ADB = { PATH: "/nowhere" };

describe("by adb", () => {
  let phone: Phone;
  let other: Phone;
  beforeAll(async () => {
    phone = await startPhone({ link: "cable" });
    other = await startPhone({ link: "cable", server: phone.server, asksForKeys: true, properties: { "ro.product.model": "Pixel 9" } });
  });
  afterAll(async () => {
    await other?.close();
    await phone?.close();
  });

  test("the one device that can be used is the rig's; the other one is told what it needs", async () => {
    const { said, text, rig } = await init(withAdb(phone.server));
    expect(said).toContain(`✓ adb ${phone.serial} Pixel 8 `);
    expect(said).toContain(`✗ adb ${other.serial} it does not trust this computer: unlock it and accept the key on the phone's screen; if`);
    expect(rig.device).toMatchObject({
      transport: { kind: "adb", serial: phone.serial },
      command: ["/data/local/tmp/workload", "--jsonl"],
    });
    expect(text).toContain("# Pixel 8\n");
    expect(said).not.toMatch(/Which device is meant|No device/);
  });

  test("of two that can be used the rig names both and chooses none", async () => {
    other.accept();
    await expect.poll(() => phone.server.adb("devices")).toMatch(new RegExp(`${other.serial}\\s+device`));
    const { said, text, rig } = await init(withAdb(phone.server));
    expect(said).toContain("Which device is meant is for you to say: the file has a line for each of them.");
    expect(rig.device).toMatchObject({ transport: { kind: "local" } });
    const line = `# or Pixel 9\n  # transport: { kind: adb, serial: ${other.serial} }\n`;
    expect(text).toContain(line);
    const mine = text
      .replace("  transport: { kind: local }\n", "")
      .replace(`# transport: { kind: adb, serial: ${other.serial}`, (all) => all.slice(2));
    expect(parseRig(mine, "bench.yaml").device).toMatchObject({ transport: { kind: "adb", serial: other.serial } });
  });

  test("a server is started where there is none; without a device it is said what to do", async ({ onTestFinished }) => {
    const server = await AdbServer.create();
    onTestFinished(() => server.close());
    const { said, rig } = await init(withAdb(server));
    expect(server.pid()).toBeGreaterThan(0);
    expect(said).not.toContain("Android devices are not listed");
    expect(said).toContain(
      "a phone: switch its USB debugging on, plug it in, call init --force again a board: call init --force --ssh user@host",
    );
    expect(rig.device).toMatchObject({ transport: { kind: "local" } });
  });

  test("a server that does not start is one quiet line", async () => {
    const bin = join(dir, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "adb"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    const { stdout } = await init({ PATH: `${bin}:${process.env.PATH}`, ANDROID_ADB_SERVER_PORT: "1" });
    expect(stdout).toContain("Android devices are not listed (adb: the server does not start).\n");
  });
});

describe("by ssh", () => {
  let pi: Sshd;
  beforeAll(async () => {
    pi = await startSshd({ tree: "pi" });
  });
  afterAll(() => pi?.stop());

  /** The home of somebody whom the Pi lets in, and who knows it by `knownHosts`. */
  function home(knownHosts: string): Readonly<Record<string, string>> {
    const folder = mkdtempSync(join(dir, "home-"));
    mkdirSync(join(folder, ".ssh"));
    copyFileSync(pi.key, join(folder, ".ssh/id_ed25519"));
    writeFileSync(join(folder, ".ssh/known_hosts"), knownHosts);
    return { ...WITHOUT_ADB, HOME: folder, SSH_AUTH_SOCK: "" };
  }

  test("the device is asked who it is, and no others are looked for", async () => {
    const { said, text, rig } = await init(home(readFileSync(pi.knownHosts, "utf8")), "--ssh", `bench@127.0.0.1:${pi.port}`);
    expect(said).toContain(`✓ ssh bench@127.0.0.1:${pi.port} Raspberry Pi 5 Model B Rev 1.0, Debian GNU/Linux 12`);
    expect(said).not.toContain("not listed");
    expect(rig.device).toMatchObject({
      transport: { kind: "ssh", host: "127.0.0.1", user: "bench", port: pi.port },
      command: ["./workload", "--jsonl"],
    });
    expect(text).toContain("# Raspberry Pi 5 Model B Rev 1.0, Debian");
  });

  test("an unknown host key is told with the command that learns it, whole; the rig is written all the same", async () => {
    const { stdout, said, rig } = await init(home(""), "--ssh", `bench@127.0.0.1:${pi.port}`);
    expect(said).toContain("its host key is not known; it shows the ssh-ed25519 key SHA256:");
    expect(stdout).toMatch(new RegExp(`^ {4}ssh-keyscan -p ${pi.port} -t ed25519 127\\.0\\.0\\.1 >> \\S+known_hosts$`, "m"));
    expect(rig.device).toMatchObject({ transport: { kind: "ssh", host: "127.0.0.1", user: "bench", port: pi.port } });
  });

  test("an address that is none is told before anything is asked: exit code 2, nothing is written", async () => {
    const ended = await joulebench(["init", "none.yaml", "--ssh", "pi@"], { cwd: dir, env: WITHOUT_ADB });
    expect([ended.code, ended.stdout]).toEqual([2, ""]);
    expect(ended.stderr).toBe('joulebench: --ssh: "pi@" is no address; expected user@host or user@host:port\n');
    expect(existsSync(join(dir, "none.yaml"))).toBe(false);
  });
});

test.each(["", "a@b@c", "pi:65536", "pi:0", "fe80::1", "a b"])("%j is no address", (address) => {
  expect(() => sshTransport(address)).toThrow("is no address; expected user@host or user@host:port");
});

test.each([
  ["pi5.local", { host: "pi5.local" }],
  ["pi@10.0.0.7:2222", { user: "pi", host: "10.0.0.7", port: 2222 }],
  ["pi@[fe80::1]:22", { user: "pi", host: "fe80::1", port: 22 }],
])("%s is an address", (address, expected) => {
  expect(sshTransport(address)).toEqual({ kind: "ssh", ...expected });
});

test.each(["R58M123ABC", "0123456789", "1e5", "0x1F", "yes", "192.168.1.20:5555", "[fe80::1]", "a: b", "a #b", "~", "é\u2028"])(
  "a rig gives the serial %j back as it is",
  (serial) => {
    const device = { transport: { kind: "adb", serial }, about: "a phone\nname: other" };
    const text = rigText({ port: undefined, hasAnswered: false, device, others: [device] });
    expect(parseRig(text, "rig.yaml")).toMatchObject({ name: "bench", device: { transport: { kind: "adb", serial } } });
  },
);

test("an iPhone is listed, with a line of the rig for the app on it", async ({ onTestFinished }) => {
  const usbmuxd = await Usbmuxd.start(dir);
  onTestFinished(() => usbmuxd.close());
  usbmuxd.attach("00008110-000A1C2E0123801E", {});
  const { said, text, rig } = await init({ ...WITHOUT_ADB, USBMUXD_SOCKET_ADDRESS: usbmuxd.address });
  expect(said).toContain("✓ ios 00008110-000A1C2E0123801E an iPhone, measured through an app on it: docs/app-events.md");
  expect(rig.device).toMatchObject({ transport: { kind: "local" } });
  const mine = text.replace("  transport: { kind: local }\n", "").replace("# transport: { kind: ios", (all) => all.slice(2));
  expect(parseRig(mine, "bench.yaml").device).toMatchObject({ transport: { kind: "ios", udid: "00008110-000A1C2E0123801E", port: 5000 } });
});
