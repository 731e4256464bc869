/** A course of power whose integral is known; its time runs from its own start. */
export type Shape =
  | { readonly kind: "const"; readonly power_w: number }
  /** `start_w + slope_w_s · t` */
  | { readonly kind: "ramp"; readonly start_w: number; readonly slope_w_s: number }
  /** `final_w + step_w · e^(-t/tau_s)` */
  | { readonly kind: "exp"; readonly final_w: number; readonly step_w: number; readonly tau_s: number }
  /** `mean_w + amplitude_w · sin(2π · frequency_hz · t)` */
  | { readonly kind: "sine"; readonly mean_w: number; readonly amplitude_w: number; readonly frequency_hz: number };

/** Power at `t`, watts. */
export function shapePower_w(shape: Shape, t: number): number {
  switch (shape.kind) {
    case "const":
      return shape.power_w;
    case "ramp":
      return shape.start_w + shape.slope_w_s * t;
    case "exp":
      return shape.final_w + shape.step_w * Math.exp(-t / shape.tau_s);
    case "sine":
      return shape.mean_w + shape.amplitude_w * Math.sin(2 * Math.PI * shape.frequency_hz * t);
  }
}

/**
 * Energy over [from, to), joules.
 *
 * Every form has `to - from` as a factor and so subtracts no nearly equal numbers: a window of a microsecond
 * after a day is as accurate as its ends.
 */
export function shapeEnergy_j(shape: Shape, from: number, to: number): number {
  const length = to - from;
  switch (shape.kind) {
    case "const":
      return shape.power_w * length;
    case "ramp":
      return length * (shape.start_w + (shape.slope_w_s * (from + to)) / 2);
    case "exp":
      return shape.final_w * length - shape.step_w * shape.tau_s * Math.exp(-from / shape.tau_s) * Math.expm1(-length / shape.tau_s);
    case "sine": {
      const omega = 2 * Math.PI * shape.frequency_hz;
      const swing = (2 / omega) * Math.sin((omega * (from + to)) / 2) * Math.sin((omega * length) / 2);
      return shape.mean_w * length + shape.amplitude_w * swing;
    }
  }
}
