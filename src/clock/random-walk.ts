/** An offset that was seen at x, seconds, and the variance of that; Infinity when it tells nothing. */
export interface Sight {
  readonly x: number;
  readonly y: number;
  readonly variance: number;
}

/** What a smoother says of a clock: x, y and slope as in `Frame`, `u_s` its own k = 1. */
export interface Smoothed {
  readonly x: number;
  readonly y: number;
  readonly slope: number;
  readonly u_s: number;
}

/** Before the first sight nothing is known of the offset, and of the rate only that it is a crystal's. */
const U_OFFSET_S = 1;
const U_RATE = 500e-6;

/** Offset, rate and their covariance. */
interface State {
  readonly y: number;
  readonly slope: number;
  readonly yy: number;
  readonly yr: number;
  readonly rr: number;
}

/**
 * A Kalman filter over what was seen of a clock and the smoother of Rauch, Tung and Striebel back over it (AIAA
 * Journal 3, 1965). State: how far session time is from device time, and the rate of that, which wanders.
 *
 * @param seen in order of x
 * @param wander how fast the rate wanders, s / s^1.5: by that much in a second, growing as the square root of time
 * @returns one state for each of what was seen
 */
export function smoothWalk(seen: readonly Sight[], wander: number): Smoothed[] {
  const first = seen[0];
  if (!first) return [];
  const predicted: State[] = [];
  const filtered: State[] = [];
  let state: State = { y: first.y, slope: 0, yy: U_OFFSET_S ** 2, yr: 0, rr: U_RATE ** 2 };
  seen.forEach((each, k) => {
    const ahead = k === 0 ? state : predict(state, each.x - seen[k - 1]!.x, wander);
    state = update(ahead, each);
    predicted.push(ahead);
    filtered.push(state);
  });
  const states = filtered.slice(-1);
  for (let k = seen.length - 2; k >= 0; k--)
    states.push(back(filtered[k]!, predicted[k + 1]!, { next: states.at(-1)!, dx: seen[k + 1]!.x - seen[k]!.x }));
  return states.toReversed().map(({ y, slope, yy }, k) => ({ x: seen[k]!.x, y, slope, u_s: Math.sqrt(Math.max(0, yy)) }));
}

function predict({ y, slope, yy, yr, rr }: State, dx: number, wander: number): State {
  const walked = wander ** 2 * dx;
  return {
    y: y + slope * dx,
    slope,
    yy: yy + 2 * dx * yr + dx * dx * rr + (walked * dx * dx) / 3,
    yr: yr + dx * rr + (walked * dx) / 2,
    rr: rr + walked,
  };
}

function update(state: State, seen: Sight): State {
  if (seen.variance === Number.POSITIVE_INFINITY) return state;
  const { y, slope, yy, yr, rr } = state;
  const total = yy + seen.variance;
  const gain = yy / total;
  const gainRate = yr / total;
  const off = seen.y - y;
  return { y: y + gain * off, slope: slope + gainRate * off, yy: (1 - gain) * yy, yr: (1 - gain) * yr, rr: rr - gainRate * yr };
}

/** One step of the smoother: what the next state learnt from the future is handed back. */
function back(here: State, ahead: State, { next, dx }: { next: State; dx: number }): State {
  // C = P F' / P(ahead), two by two.
  const [a, b, c, d] = [here.yy + dx * here.yr, here.yr, here.yr + dx * here.rr, here.rr];
  const det = ahead.yy * ahead.rr - ahead.yr ** 2;
  const [c11, c12] = [(a * ahead.rr - b * ahead.yr) / det, (b * ahead.yy - a * ahead.yr) / det];
  const [c21, c22] = [(c * ahead.rr - d * ahead.yr) / det, (d * ahead.yy - c * ahead.yr) / det];
  const [dy, ds] = [next.y - ahead.y, next.slope - ahead.slope];
  const [p, q, r] = [next.yy - ahead.yy, next.yr - ahead.yr, next.rr - ahead.rr];
  return {
    y: here.y + c11 * dy + c12 * ds,
    slope: here.slope + c21 * dy + c22 * ds,
    yy: here.yy + c11 * (c11 * p + c12 * q) + c12 * (c11 * q + c12 * r),
    yr: here.yr + c11 * (c21 * p + c22 * q) + c12 * (c21 * q + c22 * r),
    rr: here.rr + c21 * (c21 * p + c22 * q) + c22 * (c21 * q + c22 * r),
  };
}
