import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { parseRig } from "../../src/rig/rig.ts";
import { ROOT, scratch, startBridge, workload } from "../e2e/bench.ts";
import { joulebench } from "../e2e/joulebench.ts";

/* The first two commands of somebody with a bridge on the desk: init writes a rig, check says what it finds. */

vi.setConfig({ testTimeout: 60_000 });

type Finish = (end: () => void | Promise<void>) => void;

function place(onTestFinished: Finish): string {
  const { dir, remove } = scratch();
  onTestFinished(remove);
  return dir;
}

/** Where no adb is found, so that the tests start no server of this machine: init-devices.test.ts is about devices. */
const env = { PATH: "/nowhere" };

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

describe.concurrent("init", () => {
  test("finds the bridge, and its rig passes check once the workload is put in", async ({ onTestFinished }) => {
    const dir = place(onTestFinished);
    const link = join(dir, "meter");
    const bridge = await startBridge(link);
    onTestFinished(() => bridge.stop());
    const init = await joulebench(["init", "rigs/mine.yaml", "--port", link], { cwd: dir, env });
    expect(init.code).toBe(0);
    expect(init.stdout).toMatch(/✓ {2}\S*meter\s+joulebench-bridge 1\.0\.0 protocol=1/);
    expect(init.stdout).toContain("written: rigs/mine.yaml");
    expect(init.stdout).toContain("joulebench check rigs/mine.yaml");

    const path = join(dir, "rigs/mine.yaml");
    const text = readFileSync(path, "utf8");
    // What stands there as a comment is right, too.
    const whole = text.replace(/^( *)# (gain_uncertainty: .*|sinks:| {2}influx: .*)$/gm, "$1$2");
    expect(parseRig(whole, "mine.yaml")).toMatchObject({ sinks: { influx: { port: 8086 } }, instruments: { meter: { port: link } } });
    writeFileSync(path, text.replace("[./workload, --jsonl]", JSON.stringify(workload())));
    await bridge.stop();

    const again = await startBridge(link);
    onTestFinished(() => again.stop());
    const check = await joulebench(["check", "rigs/mine.yaml", "--json"], { cwd: dir });
    const findings = JSON.parse(check.stdout) as Finding[];
    expect(findings.filter((each) => !each.ok)).toEqual([]);
    expect(findings.map((each) => each.what)).toEqual(
      expect.arrayContaining(["meter", "meter rate", "meter loss", "power", "device", "device clock", "zones", "clocks"]),
    );
    expect(check.code).toBe(0);
  });

  test("without a bridge writes a rig all the same, and says where to go on", async ({ onTestFinished }) => {
    const dir = place(onTestFinished);
    const { code, stdout } = await joulebench(["init", "--port", "/dev/ttyNOWHERE0"], { cwd: dir, env });
    expect(code).toBe(0);
    expect(stdout).toContain("Android devices are not listed (adb: there is no such program).\n");
    expect(stdout).toMatch(/✗ {2}\/dev\/ttyNOWHERE0\s+does not exist; plug it in/);
    expect(stdout).toContain("No bridge answered: put its port into the file.");
    expect(stdout).toContain("No device was found, so the file says that it is this machine.");
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(parseRig(readFileSync(join(dir, "rigs/bench.yaml"), "utf8"), "bench.yaml")).toMatchObject({
      measurand: "meter.main",
      device: { transport: { kind: "local" } },
    });
  });

  test("does not write over a rig, but where it is told to", async ({ onTestFinished }) => {
    const dir = place(onTestFinished);
    mkdirSync(join(dir, "rigs"));
    writeFileSync(join(dir, "rigs/bench.yaml"), "mine\n");
    const refused = await joulebench(["init", "--port", "/dev/ttyNOWHERE0"], { cwd: dir, env });
    expect([refused.code, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toContain("rigs/bench.yaml: exists already; name another file, or use --force to overwrite it");
    expect(readFileSync(join(dir, "rigs/bench.yaml"), "utf8")).toBe("mine\n");
    const forced = await joulebench(["init", "--force", "--port", "/dev/ttyNOWHERE0"], { cwd: dir, env });
    expect(forced.code).toBe(0);
    expect(readFileSync(join(dir, "rigs/bench.yaml"), "utf8")).toContain("kind: bridge-ina219");
  });

  test("says when the rig cannot be written", async ({ onTestFinished }) => {
    const dir = place(onTestFinished);
    const { code, stderr } = await joulebench(["init", "/dev/null/rig.yaml", "--port", "/dev/ttyNOWHERE0"], { cwd: dir, env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/joulebench: \/dev\/null\/rig\.yaml: cannot be written \(.*\); name another file\n$/);
  });
});

describe.concurrent("check", () => {
  test("finds the virtual bench in order", async ({ onTestFinished }) => {
    const { code, stdout } = await joulebench(["check", join(ROOT, "rigs/virtual.yaml")], { cwd: place(onTestFinished) });
    expect(stdout).not.toContain("✗");
    expect(stdout).toMatch(/✓ {2}meter\s+firmware 1\.0\.0/);
    expect(stdout).toMatch(/✓ {2}power\s+\d\.\d{4} W now/);
    expect(stdout).toMatch(/✓ {2}device clock\s+the workload answers: round trip/);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(code).toBe(0);
  });

  test("says of each thing that is wrong what to do, and leaves nothing behind", async ({ onTestFinished }) => {
    const dir = place(onTestFinished);
    writeFileSync(
      join(dir, "rig.yaml"),
      `name: wrong
instruments: { meter: { kind: bridge-ina219, port: /dev/ttyNOWHERE0, shunt_ohm: 0.1 } }
measurand: meter.main
device: { command: [no-such-program] }
`,
    );
    const { code, stdout } = await joulebench(["check", "rig.yaml"], { cwd: dir });
    expect(code).toBe(3);
    const text = stdout.replace(/\s+/g, " ");
    expect(text).toContain("✗ /dev/ttyNOWHERE0 does not exist; plug it in or correct the port in the rig.");
    expect(text).toContain("✗ meter no sample arrived; the line above says why");
    expect(text).toContain(
      "✗ device no-such-program: command not found; install it or give its full path; correct device.command in the rig",
    );
    expect(existsSync(join(dir, "sessions"))).toBe(false);
  });
});
