import type { PowerBins } from "./pulse-response.ts";

/** What disturbs the power for a while (a background task) is told from noise by means over this long. */
const WHILE_S = 25e-3;
/** Means that scatter more than this many standard deviations are doubted: their weight falls with the fourth power. */
const DOUBTED = 2;
/** Standard deviation of a normal law over its median absolute deviation. */
const MAD_TO_SD = 1.4826;

/**
 * Square roots of weights for bins whose neighbourhood is off the fit as a whole: one noisy bin is not doubted, but a
 * stretch of them is that lies further from the fit than most stretches do.
 */
export function doubts(rest_w: Float64Array, bins: PowerBins): Float64Array {
  const deviations = means(rest_w, bins).map(Math.abs);
  const limit_w = DOUBTED * MAD_TO_SD * (deviations.toSorted()[deviations.length >> 1] ?? 0);
  return deviations.map((deviation) => (deviation > limit_w ? (limit_w / deviation) ** 2 : 1));
}

/** How many times more running means scatter than those of as many independent values would; at least 1. */
export function inCommon(rest_w: Float64Array, bins: PowerBins): number {
  let [own, common] = [0, 0];
  const scaled = means(rest_w, bins);
  for (let k = 0; k < rest_w.length; k++) {
    own += rest_w[k]! * rest_w[k]!;
    common += scaled[k]! * scaled[k]!;
  }
  return own > 0 ? Math.max(1, common / own) : 1;
}

/** Running means about each bin, times the root of how many they are of: as large as one value if all are independent. */
function means(rest_w: Float64Array, { start_s, end_s }: PowerBins): Float64Array {
  const scaled = new Float64Array(rest_w.length);
  let [from, to, sum] = [0, 0, 0];
  for (let k = 0; k < rest_w.length; k++) {
    const middle_s = (start_s[k]! + end_s[k]!) / 2;
    while (to < rest_w.length && start_s[to]! < middle_s + WHILE_S / 2) sum += rest_w[to++]!;
    while (end_s[from]! <= middle_s - WHILE_S / 2) sum -= rest_w[from++]!;
    scaled[k] = sum / Math.sqrt(to - from);
  }
  return scaled;
}
