import { expect, test } from "vitest";
import { scenario } from "../scenarios/render.ts";
import { idealBench } from "./ideal-recording.ts";
import { LIVE, liveChecks } from "./live-checks.ts";
import { liveRecording } from "./live-recording.ts";
import { measured } from "./measured.ts";

/** Few of each, for time; `npm run evaluate:scenarios` draws all of them 50 times. */
const SEEDS = [1, 2, 3];

test.each(LIVE)("%s live: through links with delays and stalls, and two wrong clocks", { timeout: 60_000 }, (id) => {
  const outside = SEEDS.flatMap((seed) =>
    liveChecks(id, seed)
      .filter(({ found, expected, tolerance }) => !(found !== null && Math.abs(found - expected) <= tolerance))
      .map((each) => ({ seed, ...each })),
  );
  expect(outside).toEqual([]);
});

test("S7 live: instants are flagged, for a ripple beside the sampling rate is a slow swing to them", () => {
  const sampled = (sampler: "integrating" | "point") => measured(liveRecording(idealBench("S7"), sampler, 1).recording).one("unit_energy");
  expect(sampled("integrating").flags).not.toContain("POINT_SAMPLER");
  const points = sampled("point");
  expect(points.flags).toContain("POINT_SAMPLER");
  // Nothing in the samples tells: they are smooth, and their uncertainty is small. 80 ppm beside its nominal rate the
  // instrument folds the ripple to 0.1 Hz, of which the window holds most of one swing.
  expect(Math.abs(points.value! - scenario("S7").expect.E_J!)).toBeGreaterThan(100 * points.uncertainty!);
});
