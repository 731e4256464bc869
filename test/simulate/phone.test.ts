import { expect, test } from "vitest";
import { IDLE_W, phonePlant } from "../../src/simulate/phone.ts";
import { eventLine } from "../../src/simulate/phone-events.ts";

const phone = phonePlant({ seed: 1 });
const of = (phase: string) => phone.windows.filter((window) => window.phase === phase);
const energy = (phase: string): number => of(phase).reduce((sum, { start_s, end_s }) => sum + phone.plant.energy_j(start_s, end_s), 0);

test("the same seed gives the same phone, another one a different workload", () => {
  const [again, other] = [phonePlant({ seed: 1 }), phonePlant({ seed: 2 })];
  expect(again.events).toEqual(phone.events);
  expect(again.truth()).toEqual(phone.truth());
  expect(other.truth().decode_energy_per_token).not.toBe(phone.truth().decode_energy_per_token);
});

test.each([1, 2, 3, 4, 5])("with seed %i the workload fits the demo", (seed) => {
  const { end_s, requests, truth } = phonePlant({ seed });
  expect(requests).toHaveLength(6);
  expect(end_s).toBeGreaterThan(22);
  expect(end_s).toBeLessThan(28);
  for (const { token_s } of requests) expect(token_s).toHaveLength(60);
  const found = truth();
  expect(found.decode_energy_per_token).toBeCloseTo(0.2, 2);
  expect(found.tpot).toBeCloseTo(0.04, 3);
  expect(found.prefill_energy_per_prompt_token).toBeCloseTo(0.036, 2);
});

test("outside the workload, and between prompts, the phone is idle and nothing else", () => {
  for (const [from, to] of [[-60, 0] as const, [phone.end_s, phone.end_s + 60] as const]) {
    expect(phone.plant.energy_j(from, to)).toBeCloseTo(IDLE_W * (to - from), 10);
  }
  const gaps = phone.requests.slice(1).map(({ start_s }, k) => [phone.requests[k]!.end_s, start_s] as const);
  for (const [from, to] of gaps) expect(phone.plant.energy_j(from, to) / (to - from)).toBeCloseTo(IDLE_W, 10);
});

test("windows and gaps together are the energy of the whole workload", () => {
  const busy_s = ["load", "prefill", "decode", "tail"].flatMap(of).reduce((sum, { start_s, end_s }) => sum + end_s - start_s, 0);
  const parts = energy("load") + energy("prefill") + energy("decode") + energy("tail") + IDLE_W * (phone.end_s - busy_s);
  expect(parts).toBeCloseTo(phone.plant.energy_j(0, phone.end_s), 9);
  expect(energy("prefill") + energy("decode")).toBeCloseTo(energy("request"), 9);
});

test("the truth is ratios of sums", () => {
  const truth = phone.truth();
  const tokens = (phase: string): number => of(phase).reduce((sum, window) => sum + window.tokens, 0);
  expect(tokens("request")).toBe(tokens("decode") + 6);
  expect(truth.prefill_energy! * 6).toBeCloseTo(energy("prefill"), 9);
  expect(truth.decode_energy_per_token! * tokens("decode")).toBeCloseTo(energy("decode"), 9);
  expect(truth.request_energy_per_output_token! * tokens("request")).toBeCloseTo(energy("request"), 9);
  const net = truth.decode_energy_per_token! - IDLE_W * truth.tpot!;
  expect(truth.decode_energy_per_token_net).toBeCloseTo(net, 12);
  expect(truth.ttft! * 6).toBeCloseTo(
    of("prefill").reduce((sum, { start_s, end_s }) => sum + end_s - start_s, 0),
    9,
  );
  expect(truth.idle_power).toBe(1.2);
});

test("decode ripples within every token, with something else running now and then", () => {
  const { token_s } = phone.requests[0]!;
  const levels = new Set(
    token_s.slice(0, -1).flatMap((t, k) => [t + 0.001, token_s[k + 1]! - 0.001].map((at) => phone.plant.power_w(at).toFixed(2))),
  );
  expect([...levels].sort()).toEqual(["3.40", "3.65", "7.40", "7.65"]);
});

test("events are in order of time and cut exactly the true windows", () => {
  const times = phone.events.map((event) => event.true_s);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const r1 = phone.events.filter((event) => event.request === "r1");
  const [prefill, decode] = phone.windows.filter((window) => window.request === "r1");
  expect([r1[0]!.true_s, r1[1]!.true_s, r1.at(-2)!.true_s]).toEqual([prefill!.start_s, prefill!.end_s, decode!.end_s]);
  expect(r1.filter((event) => event.type === "token")).toHaveLength(decode!.tokens);
  expect(r1[1]!.tokens).toBe(prefill!.tokens);
  expect(eventLine(r1[1]!, 3.5)).toBe(`{"type":"first_token","request":"r1","time_s":3.5,"tokens":${prefill!.tokens}}`);
  expect(eventLine(phone.events[0]!, 2)).toBe('{"type":"load_start","time_s":2}');
});
