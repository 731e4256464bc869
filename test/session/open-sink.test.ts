import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { SinkContext } from "../../src/model/sink.ts";
import { openSink } from "../../src/session/sinks.ts";
import { sinks } from "../../src/sinks/index.ts";

const dir = mkdtempSync(join(tmpdir(), "joulebench-sink-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("what waits for a database is sent by one process at a time, and by the next when that is done", async () => {
  const influx = sinks.find(({ kind }) => kind === "influx")!;
  // Nobody listens on port 1.
  const options = influx.options.parse({ host: "127.0.0.1", port: 1 });
  const about = { rig: "bench", host: "lab-1", session: "s", wallStart_ns: 0n, work: {}, outbox: join(dir, "outbox") };
  const context: SinkContext = { ...about, notice: () => {}, fault: () => {} };
  const first = openSink(influx, options, context);
  expect(() => openSink(influx, options, context)).toThrow(
    expect.objectContaining({ kind: "link", message: expect.stringContaining(`is being sent by process ${process.pid}`) }),
  );
  await first.close();
  const second = openSink(influx, options, context);
  await second.close();
});
