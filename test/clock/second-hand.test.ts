import { describe, expect, test } from "vitest";
import { SecondHand } from "../../src/clock/second-hand.ts";
import { between, seeded } from "../../src/simulate/random.ts";

/** Looks `count` times at a clock that is `offset_s` behind ours, over round trips of random length and lopsidedness. */
function looked(
  seed: number,
  { offset_s, trip_s, ppm = 0, count = 16 }: { offset_s: number; trip_s: number; ppm?: number; count?: number },
) {
  const random = seeded(seed);
  const hand = new SecondHand();
  let true_s = 1.7e9 + between(random, 0, 1);
  const oursAt = (at_s: number): number => at_s + offset_s + (at_s - 1.7e9) * ppm * 1e-6;
  const agreed: boolean[] = [];
  for (let n = 0; n < count; n++) {
    const [there_s, back_s] = [between(random, 0, trip_s), between(random, 0, trip_s)];
    const shown_s = Math.floor(true_s + there_s);
    agreed.push(hand.push({ sent_s: oursAt(true_s), received_s: oursAt(true_s + there_s + back_s), shown_s }));
    const ours_s = oursAt(true_s + there_s + back_s);
    true_s += hand.next_s(ours_s + 0.1) - ours_s + there_s + back_s;
  }
  return { hand, agreed, truth_s: oursAt(true_s) - true_s };
}

describe("a clock that shows whole seconds", () => {
  test("is known to its round trip after a few looks, whatever the way it takes, and the bound holds", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { hand, agreed, truth_s } = looked(seed, { offset_s: between(seeded(seed), -4000, 4000), trip_s: 0.02 });
      const { offset_s, bound_s } = hand.offset!;
      expect(Math.abs(offset_s - truth_s)).toBeLessThanOrEqual(bound_s + 1e-6);
      expect(bound_s).toBeLessThan(0.03);
      expect(agreed).not.toContain(false);
    }
  });

  test("is bounded while the two drift apart", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { hand, agreed, truth_s } = looked(seed, { offset_s: 3, trip_s: 0.005, ppm: 90, count: 200 });
      expect(Math.abs(hand.offset!.offset_s - truth_s)).toBeLessThanOrEqual(hand.offset!.bound_s + 1e-4);
      expect(agreed).not.toContain(false);
    }
  });

  test("that is set is seen, and what was known before is forgotten", () => {
    const { hand } = looked(1, { offset_s: 0, trip_s: 0.01 });
    const at_s = 1.7e9 + 100;
    expect(hand.push({ sent_s: at_s, received_s: at_s + 0.01, shown_s: at_s + 3600 })).toBe(false);
    expect(hand.offset).toMatchObject({ offset_s: expect.closeTo(-3600, 0), bound_s: expect.closeTo(0.5, 1) });
  });

  test("is not known before the first look", () => {
    expect(new SecondHand().offset).toBeUndefined();
  });
});
