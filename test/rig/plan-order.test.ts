import { expect, test } from "vitest";
import { orderOf } from "../../src/rig/order.ts";
import { experiment } from "./plan-engine.ts";

const schedule = (more: object) => ({ axes: {}, repetitions: 1, order: "random" as const, seed: 1, blocks: false, ...more });
const text = (combinations: number, more: object): string =>
  orderOf(combinations, schedule(more))
    .map(({ combination, repetition }) => `${combination}${"abc"[repetition - 1]}`)
    .join(" ");

test("the order of a seed is the same for ever, on every machine", () => {
  expect(text(4, { repetitions: 3 })).toBe(GOLDEN.shuffled);
  expect(text(4, { repetitions: 3, blocks: true })).toBe(GOLDEN.blocks);
  expect(text(4, { repetitions: 3, seed: 2 })).toBe(GOLDEN.second);
  expect(text(4, { repetitions: 2, order: "given" })).toBe("0a 1a 2a 3a 0b 1b 2b 3b");
});

/** By another implementation of generator and shuffle, in Python; whoever changes these takes every experiment its order. */
const GOLDEN = {
  shuffled: "2a 2c 3b 0a 3a 1b 0c 3c 2b 0b 1c 1a",
  blocks: "1a 3a 2a 0a 3b 1b 0b 2b 2c 0c 1c 3c",
  second: "1b 3b 1a 2b 1c 0c 0a 2c 2a 0b 3a 3c",
};

test("every cell stands in it once, and blocks keep repetitions together", () => {
  for (let seed = 0; seed < 200; seed++) {
    const all = text(7, { repetitions: 3, seed });
    expect(all.split(" ").toSorted()).toEqual(text(7, { repetitions: 3, order: "given" }).split(" ").toSorted());
    const rounds = text(7, { repetitions: 3, seed, blocks: true }).replaceAll(/\d| /g, "");
    expect(rounds).toBe("a".repeat(7) + "b".repeat(7) + "c".repeat(7));
  }
});

test("no place is preferred", () => {
  const first = Array<number>(5).fill(0);
  for (let seed = 0; seed < 5000; seed++) first[orderOf(5, schedule({ seed }))[0]!.combination]!++;
  // Binomial, n = 5000, p = 1/5: five standard deviations are 141.
  for (const count of first) expect(Math.abs(count - 1000)).toBeLessThan(141);
});

test("a plan gives its cells in that order", () => {
  const plan = (more: string): string[] =>
    experiment(`workload: { kind: fixed, prompt_tokens: 1, output_tokens: 1 }
axes: { workload.count: [1, 2, 3, 4, 5, 6] }
${more}`).cells.map(({ values }) => String(values["workload.count"]));
  expect(plan("")).toEqual(plan("order: random\nseed: 1"));
  expect(plan("seed: 3")).not.toEqual(plan("seed: 4"));
  expect(plan("order: given")).toEqual(["1", "2", "3", "4", "5", "6"]);
});
