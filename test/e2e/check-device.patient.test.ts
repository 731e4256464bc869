import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeModel } from "../engine/gguf.ts";
import { program } from "../engines/bench.ts";
import { type Sshd, startSshd } from "../sshd/sshd.ts";
import { scratch, workload } from "./bench.ts";
import { NO_METER, overSsh, writeDeviceRig } from "./device-bench.ts";
import { joulebench } from "./joulebench.ts";

/* What `check` says of a Raspberry Pi behind a real sshd: who it is, its clock, what is on it. */

const { dir, remove } = scratch();
let pi: Sshd;
beforeAll(async () => {
  pi = await startSshd({ tree: "pi" });
});
afterAll(async () => {
  await pi.stop();
  remove();
});

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

async function check(name: string, device: string): Promise<{ code: number | null; findings: Map<string, Finding> }> {
  const { code, stdout, stderr } = await joulebench(["check", writeDeviceRig(dir, name, device, NO_METER), "--json"], { cwd: dir });
  if (stdout === "") throw new Error(stderr);
  const findings = (JSON.parse(stdout) as Finding[]).filter(({ what }) => what !== "meter" && what !== "/dev/ttyNOWHERE0");
  return { code, findings: new Map(findings.map((each) => [each.what, each])) };
}

describe.concurrent("check", () => {
  test("tells a Pi with its engine line by line, no line wider than the terminal", async () => {
    const model = join(dir, "a model's file.gguf");
    writeModel(model, {});
    const server = join(dir, "llama-server");
    writeFileSync(server, `#!/bin/sh\n[ "$*" = --version ] && { echo 'version: 6123 (abc1234)' >&2; exit 0; }\ntouch '${dir}/started'\n`);
    chmodSync(server, 0o755);
    const engine = { kind: "llama-server", path: server, model };
    const rig = writeDeviceRig(dir, "pi5", `transport: ${overSsh(pi)}\nengine: ${JSON.stringify(engine)}\n`, NO_METER);
    const { stdout } = await joulebench(["check", rig], { cwd: dir });
    expect(stdout.match(/✗/g), "the meter that is not there, and nothing else").toHaveLength(2);
    expect(stdout.split("\n").filter((line) => line.length > 80 && !line.includes(dir))).toEqual([]);
    const text = stdout.replace(/\s+/g, " ");
    expect(text).toMatch(
      /✓ device ssh, Raspberry Pi 5 Model B Rev 1\.0, serial 2f8c1e6a7b9d0c34, .*boot [0-9a-f]{8}, Debian GNU\/Linux 12/,
    );
    expect(text).toMatch(/✓ device clock python3 answers: round trip \d\.\d{3} ms at best, .* median; known within \d\.\d{3} ms/);
    expect(text).toContain("✓ clock ties realtime, monotonic, boottime are read together");
    expect(text).toContain("✓ zones cpu-thermal 48.3 °C");
    expect(text).toContain("✓ clocks cpu 0 1 2 3 at 1500 of 2400 MHz");
    expect(text).toMatch(/✓ state governor ondemand, load/);
    expect(text).toContain(`✓ engine llama-server: ${server} is there, version 6123 (abc1234)`);
    expect(text).toMatch(/✓ model .*a model's file\.gguf, [\d ]+ bytes/);
    expect(() => chmodSync(join(dir, "started"), 0o600), "the engine was not started").toThrow("ENOENT");
  });

  test("says what is missing on the device and on this machine", async () => {
    const usb = "usb_power: { off: [no-hub, --off], on: [no-hub, --on] }\nlink: wifi\n";
    const engine = { kind: "llama-server", path: "llama-nowhere", model: "/nowhere/model.gguf" };
    const { code, findings } = await check("missing", `transport: ${overSsh(pi)}\nengine: ${JSON.stringify(engine)}\n${usb}`);
    expect(code).toBe(3);
    expect(findings.get("engine")?.detail).toContain("llama-nowhere is not installed on the device; install it or give its full path");
    expect(findings.get("model")?.detail).toContain("/nowhere/model.gguf is not on the device; copy it there or correct");
    expect(findings.get("link")).toMatchObject({ ok: true, detail: expect.stringContaining("wifi: ") });
    expect(findings.get("usb power")?.detail).toBe(
      'off by ["no-hub","--off"], on by ["no-hub","--on"]: no-hub is not installed on this machine; install it or give its full path',
    );
  });

  test("looks for a workload over ssh without starting it", async () => {
    const { findings } = await check("workload", `transport: ${overSsh(pi)}\ncommand: [touch, ${dir}/worked]\n`);
    expect([...findings.values()].filter((each) => !each.ok)).toEqual([]);
    expect(findings.get("workload")?.detail).toMatch(/^touch is \/.*\/touch$/);
    expect(() => chmodSync(join(dir, "worked"), 0o600)).toThrow("ENOENT");
  });

  test("refuses a model that is no GGUF file, and an engine's option that is none", async () => {
    const model = join(dir, "page.gguf");
    writeFileSync(model, "<!DOCTYPE html>");
    const engine = { kind: "llama-completion", path: program("llama-completion"), model };
    const page = await check("page", `transport: ${overSsh(pi)}\nengine: ${JSON.stringify(engine)}\n`);
    expect(page.findings.get("model")).toMatchObject({ ok: false, detail: expect.stringContaining("15 bytes of something else") });
    const option = await check("option", `transport: ${overSsh(pi)}\nengine: { kind: llama-server, modle: a.gguf }\n`);
    expect(option.findings.get("engine")?.detail).toMatch(/device\.engine\.modle: llama-server has no such option; it has: path, model,/);
  });

  test("a local workload answers its own pings; without a device there is none to tell of", async () => {
    const { findings } = await check("local", `command: ${JSON.stringify(workload())}\n`);
    expect(findings.get("device clock")?.detail).toMatch(/^the workload answers: round trip/);
  });
});
