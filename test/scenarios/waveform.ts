/** A part of a waveform as scenarios.json writes it: watts over [t0, t1) seconds. */
export type Segment =
  | { readonly t0: number; readonly t1: number; readonly kind: "const"; readonly W: number }
  | { readonly t0: number; readonly t1: number; readonly kind: "ramp"; readonly W0: number; readonly W_per_s: number }
  | { readonly t0: number; readonly t1: number; readonly kind: "exp"; readonly Winf: number; readonly dW: number; readonly tau: number };

export type Waveform = readonly Segment[];

/** Exact mean power over [from, to], which lies inside the segment. */
function segmentMean(segment: Segment, from: number, to: number): number {
  switch (segment.kind) {
    case "const":
      return segment.W;
    case "ramp":
      return segment.W0 + segment.W_per_s * ((from + to) / 2 - segment.t0);
    case "exp": {
      const { Winf, dW, tau, t0 } = segment;
      const length = to - from;
      // expm1 keeps the difference of two nearly equal exponentials exact.
      return Winf - (dW * Math.exp(-(from - t0) / tau) * Math.expm1(-length / tau) * tau) / length;
    }
  }
}

/** Exact mean power over [from, to] from the closed form. */
export function mean(waveform: Waveform, from: number, to: number): number {
  let energy_j = 0;
  for (let k = firstAfter(waveform, from); k < waveform.length && waveform[k]!.t0 < to; k++) {
    const segment = waveform[k]!;
    const a = Math.max(from, segment.t0);
    const b = Math.min(to, segment.t1);
    // A bin inside one segment is that segment's mean, to the last bit.
    if (a === from && b === to) return segmentMean(segment, a, b);
    energy_j += segmentMean(segment, a, b) * (b - a);
  }
  return energy_j / (to - from);
}

/** First segment that ends after an instant. */
function firstAfter(waveform: Waveform, at_s: number): number {
  let low = 0;
  let high = waveform.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (waveform[middle]!.t1 <= at_s) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const shift = (waveform: Waveform, by_s: number): Waveform =>
  waveform.map((segment) => ({ ...segment, t0: segment.t0 + by_s, t1: segment.t1 + by_s }));

/**
 * Constant segments as one analogue pole shows them, settled before the first.
 *
 * In each segment the output closes in on the input as an exponential, from where the segment before left it.
 */
export function onePole(waveform: Waveform, tau: number): Waveform {
  let output: number | undefined;
  return waveform.map((segment): Segment => {
    if (segment.kind !== "const") throw new Error("one pole of constant segments only");
    const { t0, t1, W } = segment;
    const dW = (output ?? W) - W;
    output = W + dW * Math.exp(-(t1 - t0) / tau);
    return { t0, t1, kind: "exp", Winf: W, dW, tau };
  });
}
