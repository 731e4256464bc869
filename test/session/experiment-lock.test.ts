import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lockRig } from "../../src/session/rig-lock.ts";

const dir = mkdtempSync(join(tmpdir(), "joulebench-lock-"));
const [rig, other] = [join(dir, "rig.yaml"), join(dir, "other.yaml")];
const state = join(dir, "joulebench");
const before = process.env.XDG_STATE_HOME;
beforeAll(() => {
  process.env.XDG_STATE_HOME = dir;
  for (const path of [rig, other]) writeFileSync(path, "name: bench\n");
});
afterAll(() => {
  if (before === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = before;
  rmSync(dir, { recursive: true });
});

const locks = (): string[] => readdirSync(state);
const lockFile = (): string => join(state, locks()[0]!);

test("a rig is held by one process at a time, by whatever name its file is called", () => {
  const release = lockRig(rig, "sessions/a");
  const alias = join(dir, "alias.yaml");
  symlinkSync(rig, alias);
  for (const path of [rig, alias])
    expect(() => lockRig(path, "sessions/b")).toThrow(
      expect.objectContaining({
        kind: "link",
        message: expect.stringContaining(`is held by process ${process.pid}, which measures into sessions/a`),
      }),
    );
  const releaseOther = lockRig(other, "sessions/c");
  releaseOther();
  release();
  expect(locks()).toEqual([]);
  lockRig(rig, "sessions/b")();
});

test("the lock of a process that is gone binds nobody", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  lockRig(rig, "x");
  const holder = JSON.parse(readFileSync(lockFile(), "utf8"));
  writeFileSync(lockFile(), JSON.stringify({ ...holder, pid: child.pid }));
  lockRig(rig, "y")();
  expect(locks()).toEqual([]);
});

test.each<[string, object]>([
  ["of another boot", { boot: "3a1b" }],
  ["of an earlier process with the same number", { started: "1" }],
])("a lock %s binds nobody", (_, change) => {
  lockRig(rig, "x");
  writeFileSync(lockFile(), JSON.stringify({ ...JSON.parse(readFileSync(lockFile(), "utf8")), ...change }));
  lockRig(rig, "y")();
  expect(locks()).toEqual([]);
});

test("a lock that is no lock binds nobody", () => {
  lockRig(rig, "x");
  writeFileSync(lockFile(), "{");
  lockRig(rig, "y")();
  expect(locks()).toEqual([]);
});

test("one that was taken over meanwhile is left to its new holder", () => {
  const release = lockRig(rig, "x");
  const holder = JSON.parse(readFileSync(lockFile(), "utf8"));
  writeFileSync(lockFile(), JSON.stringify({ ...holder, pid: 1 }));
  release();
  expect(locks()).toHaveLength(1);
});
