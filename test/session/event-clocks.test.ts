import { expect, test } from "vitest";
import { toSession } from "../../src/model/clock.ts";
import type { TapeRecord } from "../../src/model/tape.ts";
import { parseRig } from "../../src/rig/rig.ts";
import { CausalDevice } from "../../src/session/causal-device.ts";
import { Decoder } from "../../src/session/decoder.ts";
import { deviceTime } from "../../src/session/device-time.ts";
import { survey } from "../../src/session/survey.ts";
import { pingLine, pongLine } from "../../src/wire/ping.ts";

/** Stamps of the workload are on the wall clock, as its log has them. */
const RIG = parseRig("name: clocks\ndevice:\n  transport: { kind: local }\n  clock: realtime\n  command: [work]\n", "rig.yaml");
/** What the wall clock shows when the session begins. */
const WALL_S = 50_000;

/** A tape of a device whose responder comes and goes, as seconds of the session. */
class Tape {
  readonly records: TapeRecord[] = [];
  #id = 0;

  say(source: string, kind: TapeRecord["kind"], at_s: number, text: string): void {
    this.records.push({ seq: this.records.length, source, kind, host_ns: at_s * 1e9, bytes: new TextEncoder().encode(`${text}\n`) });
  }

  /** A responder answers for ten seconds on `clock`, which shows `offset_s` at the session's begin. */
  responder(from_s: number, boot: string, clock: "boottime" | "realtime", offset_s: number): void {
    const device = (kind: TapeRecord["kind"], at_s: number, text: string): void => this.say("device-clock", kind, at_s, text);
    device("open", from_s, JSON.stringify({ method: "python3", boot_id: boot }));
    device("rx", from_s, JSON.stringify({ type: "clock", clock, method: "python3", resolution_s: 1e-9, forks: false, ties: ["boottime"] }));
    for (let at_s = from_s; at_s < from_s + 10; at_s++) {
      const id = this.#id++;
      device("tx", at_s, pingLine(id));
      device("rx", at_s + 2e-4, pongLine({ id, deviceReceived_s: at_s + 1e-4 + offset_s, deviceSent_s: at_s + 1e-4 + offset_s }));
    }
  }

  tie(at_s: number, boottime_s: number): void {
    const wall = { realtime_from_s: WALL_S + at_s, realtime_to_s: WALL_S + at_s };
    this.say("device-clock", "rx", at_s, JSON.stringify({ type: "tie", ...wall, monotonic_s: boottime_s, boottime_s }));
  }

  token(at_s: number): void {
    this.say("device", "rx", at_s, JSON.stringify({ type: "token", request: "r1", time_s: WALL_S + at_s }));
  }
}

/** Where the events are, session time: afterwards, and as they come. */
function times(tape: Tape): { afterwards: number[]; live: (number | undefined)[]; faults: string[] } {
  const { pings, events, eventClocks } = survey(tape.records, RIG);
  const found = deviceTime(pings, events, eventClocks);
  const causal = new CausalDevice(RIG.device?.clock);
  const decoder = new Decoder(RIG);
  const live = tape.records
    .flatMap((record) => decoder.push(record))
    .flatMap((each) => {
      const timed = causal.push(each);
      return each.type === "event" ? [timed && toSession(timed.map, timed.event.tick)] : [];
    });
  const afterwards = found.events.map(({ tick, epoch }) => toSession(found.maps.find((map) => map.epoch === epoch)!, tick));
  return { afterwards, live, faults: found.faults.map(({ code }) => code) };
}

function expectAt(tape: Tape, truth_s: readonly number[]): void {
  const { afterwards, live, faults } = times(tape);
  expect(faults).toEqual([]);
  for (const [k, at_s] of truth_s.entries()) {
    expect(afterwards[k], `token ${k}`).toBeCloseTo(at_s, 3);
    expect(live[k], `token ${k}, live`).toBeCloseTo(at_s, 3);
  }
}

test("ties of one boot say nothing of the events of another", () => {
  const tape = new Tape();
  tape.say("device", "open", 0, "{}");
  tape.responder(0, "first", "boottime", 50_000);
  tape.tie(2, 50_002);
  tape.token(5);
  tape.responder(60, "second", "boottime", -50);
  tape.tie(62, 12);
  tape.token(65);
  expectAt(tape, [5, 65]);
});

test("a responder on another clock of the same boot leaves the events before it where they were", () => {
  const tape = new Tape();
  tape.say("device", "open", 0, "{}");
  tape.responder(0, "only", "boottime", 700);
  tape.tie(2, 702);
  tape.token(5);
  tape.responder(60, "only", "realtime", WALL_S);
  tape.token(65);
  expectAt(tape, [5, 65]);
});
