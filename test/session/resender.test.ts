import { beforeEach, expect, test } from "vitest";
import type { Exit } from "../../src/session/child.ts";
import { Resender } from "../../src/session/resender.ts";

let now_s: number;
let started: { session: string; ended: Exit | undefined; signals: string[] }[];
let resender: Resender;

beforeEach(() => {
  [now_s, started] = [1000, []];
  const start = ([, session = ""]: readonly string[]) => {
    const child = { pid: 1, session, ended: undefined, signals: [] as string[], kill: (signal: string) => void child.signals.push(signal) };
    started.push(child);
    return child;
  };
  resender = new Resender({ now_s: () => now_s, start }, "resend.log");
});

const sessions = (): string[] => started.map(({ session }) => session);
function end(code: number | null): void {
  started.at(-1)!.ended = { code, at_s: now_s };
}

test("one session is sent after the other", () => {
  resender.poll(() => ["a", "b"]);
  resender.poll(() => ["a", "b"]);
  expect(sessions()).toEqual(["a"]);
  end(0);
  resender.poll(() => ["b"]);
  expect(sessions()).toEqual(["a", "b"]);
  end(0);
  resender.poll(() => []);
  expect(resender.isRunning).toBe(false);
});

test("what is not taken is tried again later and later, and keeps nobody else from being sent", () => {
  resender.poll(() => ["a", "b"]);
  end(4);
  resender.poll(() => ["a", "b"]);
  expect(sessions()).toEqual(["a", "b"]);
  end(0);
  for (const pause_s of [60, 120, 240, 480, 960, 1920, 3600, 3600]) {
    now_s += pause_s - 1;
    resender.poll(() => ["a"]);
    const before = started.length;
    now_s += 1;
    resender.poll(() => ["a"]);
    expect([before, started.length]).toEqual([before, before + 1]);
    end(null);
    resender.poll(() => ["a"]);
  }
});

test("it is ended in order", () => {
  resender.poll(() => ["a"]);
  resender.stop();
  expect(started[0]!.signals).toEqual(["SIGTERM"]);
});
