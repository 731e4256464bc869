import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openSerial } from "../../src/ports/serial.ts";
import { scratch, workload, writeRig } from "../e2e/bench.ts";
import { joulebench } from "../e2e/joulebench.ts";
import { type Pty, startPty } from "../ports/pty.ts";

/* What can stand in the way of a run at its port: the message, the exit code, and what is left behind. */

interface Place {
  readonly dir: string;
  readonly session: string;
}

type Finish = (end: () => void | Promise<void>) => void;

/** A folder of its own for each test, for they run side by side. */
function place(onTestFinished: Finish): Place {
  const { dir, remove } = scratch();
  onTestFinished(remove);
  return { dir, session: join(dir, "session") };
}

describe.concurrent("before a run", () => {
  const runAt = ({ dir, session }: Place, port: string) => {
    const rig = writeRig(dir, { port, command: workload() });
    return joulebench(["run", rig, "--out", session], { cwd: dir });
  };

  async function device(onTestFinished: Finish): Promise<Pty> {
    const pty = await startPty();
    onTestFinished(() => pty.stop());
    return pty;
  }

  test("the port does not exist: what to do, the ports there are, and nothing left behind", async ({ onTestFinished }) => {
    const here = place(onTestFinished);
    const { code, stdout, stderr } = await runAt(here, "/dev/ttyNOWHERE0");
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^joulebench: \/dev\/ttyNOWHERE0: does not exist; plug it in or correct the port in the rig\. /m);
    expect(existsSync(here.session)).toBe(false);
  });

  test("the port is a regular file", async ({ onTestFinished }) => {
    const here = place(onTestFinished);
    const { code, stderr } = await runAt(here, join(here.dir, "rig.yaml"));
    expect(code).toBe(2);
    expect(stderr).toContain("rig.yaml: is not a serial port but a regular file; name one in the rig.");
    expect(existsSync(here.session)).toBe(false);
  });

  test("the port is held by another program: which one", async ({ onTestFinished }) => {
    const here = place(onTestFinished);
    const { path } = await device(onTestFinished);
    const held = await openSerial({ path, baud: 1_000_000, now: () => 0 });
    const { code, stderr } = await runAt(here, path);
    await held.close();
    expect(code).toBe(3);
    expect(stderr).toMatch(
      new RegExp(`joulebench: ${path}: is busy: held by .*\\(pid ${process.pid}\\).*; end that program and try again`),
    );
    expect(existsSync(here.session)).toBe(false);
  });

  test.for<[string, string, RegExp]>([
    ["something else that talks", "stream 20000", /meter: no valid frame in 2 s at 1000000 Bd: received ".*"; is this port the bridge/],
    ["nobody", "quiet", /meter: no answer to "stop" in 6 s at 1000000 Bd: is this the bridge's port, and is the firmware flashed/],
    ["an echo", "echo", /meter: no valid frame in 2 s at 1000000 Bd/],
  ])("at the port is %s: exit code 3, and its bytes are kept where there are any", async ([name, command, message], { onTestFinished }) => {
    const here = place(onTestFinished);
    const { path, tell } = await device(onTestFinished);
    tell(command);
    const { code, stderr } = await runAt(here, path);
    expect(code).toBe(3);
    expect(stderr).toMatch(message);
    expect(existsSync(join(here.session, "tape"))).toBe(name !== "nobody");
  });
});
