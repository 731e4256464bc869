import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeKey, type Sshd, startSshd } from "../sshd/sshd.ts";
import { scratch } from "./bench.ts";
import { NO_METER, overSsh, writeDeviceRig } from "./device-bench.ts";
import { type Ended, joulebench } from "./joulebench.ts";
import { freePort } from "./loopback.ts";

/* Devices behind ssh that cannot be used, and plans that cannot be measured: one message, what to do, nothing lost. */

const { dir, remove } = scratch();
let pi: Sshd;
beforeAll(async () => {
  pi = await startSshd({ tree: "pi" });
  makeKey(join(dir, "stranger"), "ed25519");
  makeKey(join(dir, "other_host"), "ed25519");
  writeFileSync(join(dir, "empty_hosts"), "");
});
afterAll(async () => {
  await pi.stop();
  remove();
});

/** A plan that asks the device before it opens the meter, so that the message is about the device. */
const PLAN = "workload: { kind: device }\npreflight: [load]\npulses: false\nbaseline_s: 1\nafter_s: 1\n";

async function run(name: string, transport: string, { plan = PLAN, more = 'command: ["true"]\n' } = {}): Promise<Ended> {
  const rig = writeDeviceRig(dir, name, `transport: ${transport}\n${more}`, NO_METER);
  writeFileSync(join(dir, `${name}-plan.yaml`), plan);
  return joulebench(["run", rig, "--plan", `${name}-plan.yaml`, "--out", `${name}-out`], { cwd: dir });
}

/** What stands on stderr after the progress: the last line. */
const lastLine = ({ stderr }: Ended): string => stderr.trimEnd().split("\n").at(-1)!;

describe.concurrent("a device that", () => {
  test("is not there: exit code 3", async () => {
    const port = await freePort();
    const ended = await run("nowhere", overSsh(pi, { port }));
    expect([ended.code, lastLine(ended)]).toEqual([
      3,
      `joulebench: bench@127.0.0.1:${port}: cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}; is it up, is that its address, and does sshd run there?`,
    ]);
  });

  test("has a name that nobody knows: exit code 3", async () => {
    const ended = await run("nameless", overSsh(pi, { host: "no-such-host.invalid" }));
    expect(ended.code).toBe(3);
    expect(lastLine(ended)).toMatch(/joulebench: bench@no-such-host\.invalid:\d+: cannot be reached: .*no-such-host\.invalid; is it up/);
  });

  test("shows a host key that nobody has seen: exit code 2, with the line that learns it", async () => {
    const ended = await run("unknown", overSsh(pi, { known_hosts: [join(dir, "empty_hosts")] }));
    expect(ended.code).toBe(2);
    expect(lastLine(ended)).toMatch(
      /its host key is not known; it shows the ssh-ed25519 key SHA256:.* then run: ssh-keyscan -p \d+ -t ed25519 127\.0\.0\.1 >> .*empty_hosts$/,
    );
  });

  test("shows another host key than before: exit code 2, with the warning", async () => {
    const file = join(dir, "other_hosts");
    const key = readFileSync(join(dir, "other_host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
    writeFileSync(file, `[127.0.0.1]:${pi.port} ${key}\n`);
    const ended = await run("changed", overSsh(pi, { known_hosts: [file] }));
    expect(ended.code).toBe(2);
    expect(lastLine(ended)).toMatch(/its host key is not the one at .*other_hosts:1: .*Another machine may be answering\. .*ssh-keygen -R/);
  });

  test("does not let the key in: exit code 2, with the line that would", async () => {
    const ended = await run("stranger", overSsh(pi, { key: join(dir, "stranger") }));
    expect(ended.code).toBe(2);
    expect(lastLine(ended)).toMatch(
      /it does not let bench in .*stranger \(ssh-ed25519\); it accepts: publickey; .* run: ssh-copy-id -p \d+ bench@/,
    );
  });

  test("has no key file here: exit code 2", async () => {
    const ended = await run("keyless", overSsh(pi, { key: join(dir, "nothing") }));
    expect([ended.code, lastLine(ended)]).toEqual([2, expect.stringMatching(/cannot use the key .*nothing: .*no such file/)]);
  });

  test("asks for a password that is wrong: exit code 2, and nobody is asked at the terminal", async () => {
    const asking = await startSshd({ tree: "pi", config: ["PasswordAuthentication yes", "AuthenticationMethods password"] });
    process.env.JOULEBENCH_TEST_PASSWORD = "wrong";
    try {
      const ended = await run("password", overSsh(asking, { password_env: "JOULEBENCH_TEST_PASSWORD" }));
      expect(ended.code).toBe(2);
      expect(lastLine(ended)).toMatch(/it does not let bench in .*the password in JOULEBENCH_TEST_PASSWORD; it accepts: password/);
    } finally {
      delete process.env.JOULEBENCH_TEST_PASSWORD;
      await asking.stop();
    }
  });

  test("does not cool down in time: the cell is invalid, the reason is said, exit code 1", async () => {
    const plan = `${PLAN}cool_down: { zone: cpu-thermal, below_degc: 20, hold_s: 1, every_s: 0.5, timeout_s: 2 }\n`;
    const ended = await run("warm", overSsh(pi), { plan });
    const reason = "not measured: did not cool down within 2 s; cpu-thermal: 48.3 degC; wanted below 20 degC";
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining(`invalid: ${reason}`)]);
    expect(ended.stdout.replace(/\s+/g, " ")).toContain(reason);
    expect(ended.stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(existsSync(join(dir, "warm-out/summary.json"))).toBe(true);
  });

  test("has no zone of that name: the names it has are said", async () => {
    const plan = `${PLAN}cool_down: { zone: skin, below_degc: 20, hold_s: 1, every_s: 0.5, timeout_s: 2 }\n`;
    const ended = await run("zone", overSsh(pi), { plan });
    expect(ended.stderr).toContain("skin: cannot be read; wanted a temperature; there are: cpu-thermal");
  });
});

test("an engine that ends without a word: the cell is invalid, with the rule and what it found, exit code 1", async () => {
  writeFileSync(join(dir, "mute.yaml"), "name: test\ndevice: { engine: { kind: llama-completion, path: /bin/true, model: a.gguf } }\n");
  const plan = "workload: { kind: prompts, prompts: [a] }\nbaseline_s: 0\nafter_s: 0\nsettle_s: 0\npulses: false\n";
  writeFileSync(join(dir, "mute-plan.yaml"), plan);
  const ended = await joulebench(["run", "mute.yaml", "--plan", "mute-plan.yaml", "--out", "mute-out"], { cwd: dir });
  expect([ended.code, ended.stderr]).toEqual([1, expect.stringMatching(/invalid: not valid: .*requests \(0 valid of \d seen, 1 planned/)]);
});

describe.concurrent("a plan whose", () => {
  const engine = { more: "engine: { kind: llama-server, model: a.gguf, context: 64 }\n" };
  const cases: readonly [string, string, string | Uint8Array | undefined, RegExp][] = [
    ["prompts file is empty", "workload: { kind: prompts, file: p.jsonl }", "", /line 1: workload\.file: .*p\.jsonl: is empty/],
    [
      "prompts file is missing",
      "workload: { kind: prompts, file: p.jsonl }",
      undefined,
      /p\.jsonl: no such file; paths are relative to the plan/,
    ],
    [
      "prompts file is not UTF-8",
      "workload: { kind: prompts, file: p.jsonl }",
      Uint8Array.of(0x7b, 0x7d, 0x0a, 0xff, 0xfe),
      /p\.jsonl: line 2: is not UTF-8; convert it/,
    ],
    [
      "prompts file has a line that is no JSON",
      "workload: { kind: prompts, file: p.jsonl }",
      '{"prompt":"a"}\n{"prompt":\n',
      /workload\.file: .*p\.jsonl: line 2: is not JSON; expected one object per line/,
    ],
    ["cell is impossible", "workload: { kind: fixed, prompt_tokens: 100, output_tokens: 8 }", "", /line 1: workload.*(64|context)/],
    ["engine is none", "engine: { kind: llama-srever }\nworkload: { kind: prompts, prompts: [a] }", "", /line 1: engine\.kind/],
  ];
  test.each(cases)("%s is refused before anything is opened, exit code 2", async (name, plan, file, message) => {
    const id = name.replaceAll(" ", "-");
    if (file !== undefined) writeFileSync(join(dir, `${id}.jsonl`), file);
    const ended = await run(id, "{ kind: local }", { plan: `${plan.replace("p.jsonl", `${id}.jsonl`)}\n`, ...engine });
    expect([ended.code, ended.stdout]).toEqual([2, ""]);
    expect(ended.stderr.replaceAll(`${id}.jsonl`, "p.jsonl")).toMatch(message);
    expect(existsSync(join(dir, `${id}-out`))).toBe(false);
  });
});
