import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const dir = mkdtempSync(join(tmpdir(), "joulebench-usb-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const DIST = pathToFileURL(fileURLToPath(new URL("../../dist/session/usb-power.js", import.meta.url))).href;

// As it is built: the process that watches is a program of its own.
const { UsbPower } = (await import(DIST)) as typeof import("../../src/session/usb-power.ts");

let hubs = 0;

/** A hub of which is known what it was told: its command appends its arguments to a file. */
function hub(fails = "") {
  const log = join(dir, `hub-${++hubs}`);
  const program = join(dir, `switch-${hubs}`);
  writeFileSync(program, `#!/bin/sh\n${fails}\necho "$@" >>"${log}"\n`, { mode: 0o755 });
  const commands = { off: [program, "--port", "2", "off; $(x)"], on: [program, "--port", "2", "on"] };
  return { log, commands, said: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []) };
}

/** Empty for a process that has ended meanwhile. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

const OFF = "--port 2 off; $(x)";
const ON = "--port 2 on";

test("the power is cut and restored, once each, by commands that no shell reads", async () => {
  const { commands, said } = hub();
  const power = new UsbPower(commands);
  await power.cut();
  expect([said(), power.isCut]).toEqual([[OFF], true]);
  await power.restore();
  await power.restore();
  expect([said(), power.isCut]).toEqual([[OFF, ON], false]);
});

test("a hub that cannot cut is told to have the power on, and why is said", async () => {
  const { commands, said } = hub('case "$3" in off*) echo "no such hub" >&2; exit 3;; esac');
  await expect(new UsbPower(commands).cut()).rejects.toThrow(/usb_power: .*switch-\d+: Command failed.*it said: no such hub/);
  expect(said()).toEqual([ON]);
});

test("a hub that fails at first is told again, until the power is on", async () => {
  const tries = join(dir, "tries");
  const { commands, said } = hub(`[ "$3" != on ] || { echo x >>"${tries}"; [ $(wc -l <"${tries}") -ge 3 ] || exit 1; }`);
  const power = new UsbPower(commands);
  await power.cut();
  await power.restore();
  expect(said()).toEqual([OFF, ON]);
  expect(readFileSync(tries, "utf8").length).toBe(6);
});

test("who watches may be gone: the power is restored all the same", async () => {
  const { commands, said } = hub();
  const power = new UsbPower(commands);
  await power.cut();
  const watching = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(commands.on[0]!));
  for (const pid of watching) process.kill(Number(pid), "SIGKILL");
  await power.restore();
  expect([watching.length, said()]).toEqual([1, [OFF, ON]]);
});

test("a command that is not there is named, and the power stays on", async () => {
  const power = new UsbPower({ off: ["/nowhere/uhubctl"], on: ["/bin/true"] });
  await expect(power.cut()).rejects.toThrow("usb_power: /nowhere/uhubctl: command not found");
  expect(power.isCut).toBe(false);
});

describe("the power comes back when whoever cut it", () => {
  /** A process that has cut the power and goes on. */
  async function measuring(commands: object, then = ""): Promise<ChildProcess> {
    const script = `const { UsbPower } = await import(${JSON.stringify(DIST)});
      await new UsbPower(${JSON.stringify(commands)}).cut();
      console.log("cut");
      ${then}
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout!, "data");
    return child;
  }

  test.each(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGSEGV"] as const)("is ended by %s", async (signal) => {
    const { commands, said } = hub();
    const child = await measuring(commands);
    expect(said()).toEqual([OFF]);
    child.kill(signal);
    await once(child, "exit");
    await expect.poll(said).toEqual([OFF, ON]);
  });

  test("fails by itself", async () => {
    const { commands, said } = hub();
    const child = await measuring(commands, "process.exit(1);");
    if (child.exitCode === null) await once(child, "exit");
    await expect.poll(said).toEqual([OFF, ON]);
  });

  test("is killed, and the hub needs a second try", async () => {
    const once_ = join(dir, "tried");
    const { commands, said } = hub(`case "$3" in on) if [ ! -e "${once_}" ]; then : >"${once_}"; exit 1; fi;; esac`);
    const child = await measuring(commands);
    child.kill("SIGKILL");
    await expect.poll(said).toEqual([OFF, ON]);
    appendFileSync(once_, "");
  });
});
