import { describe, expect, test } from "vitest";
import type { InferenceEvent } from "../../src/model/event.ts";
import type { Analysis } from "../../src/session/analysis.ts";
import { differences, provenance, sameInstrument } from "../../src/session/provenance.ts";

const METER = {
  kind: "bridge-ina219",
  port: "/dev/serial/by-id/usb-1",
  shunt_ohm: 0.1,
  calibration: { date: "2026-03-01", shunt_ohm: 0.1003 },
};
const EVENT: InferenceEvent = { type: "request_start", source: "device", epoch: 0, tick: 0, request: "r1", model: "q4" };

interface Variation {
  readonly meter?: object;
  readonly host?: string;
  readonly identity?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly model?: string;
  readonly measurand?: string;
}

/** As much of an analysis as provenance looks at. */
function analysis({
  meter = {},
  host = "bench-1",
  identity = { firmware: "1.0" },
  name = "pi5",
  model = "q4",
  measurand = "meter.main",
}: Variation = {}): Analysis {
  const rig = { name, instruments: { meter: { ...METER, ...meter } }, measurand, plan: { requests: 5 } };
  return {
    session: { joulebench: "0.1.0", origin: { run: true }, rig, plan: rig.plan, host: { name: host }, identities: { meter: identity } },
    recording: { events: [{ ...EVENT, model }] },
    results: { measurand, baseline: { name: "cold idle, median of 60 means of 1 s" } },
  } as unknown as Analysis;
}

describe("one instrument", () => {
  test("is the same for two devices, whatever their rigs are called", () => {
    expect(sameInstrument(analysis(), analysis({ name: "pixel", model: "q8" }))).toBe(true);
  });

  test.each([
    ["another calibration", { meter: { calibration: { date: "2026-04-01", shunt_ohm: 0.1003 } } }],
    ["another shunt", { meter: { shunt_ohm: 0.2 } }],
    ["another port", { meter: { port: "/dev/serial/by-id/usb-2" } }],
    ["another host, where the same port is another cable", { host: "bench-2" }],
    ["another firmware", { identity: { firmware: "1.1" } }],
    ["another channel", { measurand: "meter.aux" }],
  ])("is not: %s", (_, variation) => {
    expect(sameInstrument(analysis(), analysis(variation))).toBe(false);
  });

  test("is not known of an import", () => {
    const { rig: _rig, ...imported } = analysis().session;
    const other = { ...analysis(), session: { ...imported, origin: { import: "generic" } } } as unknown as Analysis;
    expect(sameInstrument(other, other)).toBe(false);
  });
});

test("what differs is named, with the fact of each session; the rest is not", () => {
  const facts = [analysis(), analysis({ model: "q8", meter: { shunt_ohm: 0.2 } }), analysis()].map(provenance);
  expect(differences(facts)).toEqual([
    { fact: "rig.instruments.meter.shunt_ohm", values: ["0.1", "0.2", "0.1"] },
    { fact: "models", values: ["q4", "q8", "q4"] },
  ]);
});
