import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DeviceLink } from "../../src/session/device-link.ts";
import { Recorder } from "../../src/session/recorder.ts";
import type { ShellTransport } from "../../src/transports/durable-channel.ts";
import { local } from "../../src/transports/local.ts";
import { CuttableLink } from "../transports/cuttable-link.ts";

const now = (): number => Number(process.hrtime.bigint());
const scratch = mkdtempSync(join(tmpdir(), "joulebench-left-"));
const failures: Error[] = [];
let transport: CuttableLink;
let link: DeviceLink;

beforeEach(async () => {
  transport = new CuttableLink((await local.open({ environment: { TMPDIR: scratch } }, now)) as ShellTransport);
  const watcher = { recorder: new Recorder(() => {}), now, patience_s: 0.1, failed: (error: unknown) => failures.push(error as Error) };
  link = new DeviceLink(transport, await transport.identity(), watcher);
  await link.openResponder();
  await link.startProcess(["sh", "-c", "read -r end"]);
});
afterEach(async () => {
  transport.isCut = false;
  await link.close();
  rmSync(scratch, { recursive: true, force: true });
});

test("a device that does not come back is said to keep what was started there, and where", async () => {
  await transport.cut();
  await expect.poll(() => failures.length).toBe(1);
  const { folder } = link.process!;
  expect(failures[0]!.message).toMatch(/did not come back within 0\.1 s: .*the link is cut/);
  expect(failures[0]!.message).toContain(`what it said is in ${folder}: end it, and remove that`);
  expect(existsSync(folder!)).toBe(true);
});
