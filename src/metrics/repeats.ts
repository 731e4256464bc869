import type { Component } from "../model/measurement.ts";

/** One request's share in a quotient of sums. */
export interface Share {
  readonly dividend: number;
  readonly divisor: number;
}

/** What the spread between requests says about their quotient of sums. */
export interface Repeats {
  readonly component?: Component;
  /** Autocorrelation of successive requests at lag 1; undefined for fewer than three. */
  readonly lag1?: number;
  /** As many independent requests as these are worth. */
  readonly effective: number;
}

/** From here on the bootstrap covers better than Student's t; below, it does not (science of both in docs/uncertainty.md). */
const BOOTSTRAP_FROM = 20;
const RESAMPLES = 2000;

/**
 * Type A uncertainty of a quotient of sums (GUM 4.2, ratio estimator): from the residuals of the single requests, or
 * from 20 requests on by the bias-corrected and accelerated bootstrap (Efron, J. Am. Stat. Assoc. 82, 1987).
 *
 * Where successive requests resemble each other more than chance allows (lag-1 autocorrelation above 2 / sqrt(n)),
 * they are worth fewer: n_eff = n (1 - r) / (1 + r).
 */
export function repeatsOf(shares: readonly Share[]): Repeats {
  const n = shares.length;
  if (n < 2) return { effective: n };
  const value = quotient(shares);
  const divisor = sum(shares.map((each) => each.divisor));
  const residuals = shares.map((each) => each.dividend - value * each.divisor);
  const squares = sum(residuals.map((each) => each * each));
  if (squares === 0) return { effective: n };
  const lag1 = n < 3 ? undefined : sum(residuals.slice(1).map((each, i) => each * residuals[i]!)) / squares;
  const r = lag1 !== undefined && lag1 > 2 / Math.sqrt(n) ? lag1 : 0;
  const effective = (n * (1 - r)) / (1 + r);
  const spread = n < BOOTSTRAP_FROM ? Math.sqrt((n / (n - 1)) * squares) / Math.abs(divisor) : bootstrapHalfWidth(shares) / 2;
  const component = { name: "repeats", u: spread * Math.sqrt(n / effective), dof: n < BOOTSTRAP_FROM ? n - 1 : Number.POSITIVE_INFINITY };
  return { component, ...(lag1 === undefined ? {} : { lag1 }), effective };
}

/** Half the width of the 95.45 % BCa interval. */
function bootstrapHalfWidth(shares: readonly Share[]): number {
  const value = quotient(shares);
  const random = xorshift();
  const draws = Float64Array.from({ length: RESAMPLES }, () => {
    let [dividend, divisor] = [0, 0];
    for (let i = 0; i < shares.length; i++) {
      const each = shares[Math.floor(random() * shares.length)]!;
      dividend += each.dividend;
      divisor += each.divisor;
    }
    return dividend / divisor;
  }).sort();
  const below = draws.filter((each) => each < value).length / RESAMPLES;
  const bias = normalQuantile(Math.min(1 - 1 / RESAMPLES, Math.max(1 / RESAMPLES, below)));
  const acceleration = accelerationOf(shares);
  const edge = (z: number): number => {
    const shifted = bias + (bias + z) / (1 - acceleration * (bias + z));
    return draws[Math.min(RESAMPLES - 1, Math.max(0, Math.floor(normalProbability(shifted) * RESAMPLES)))]!;
  };
  return (edge(2) - edge(-2)) / 2;
}

/** Skewness of the jackknife values, over six. */
function accelerationOf(shares: readonly Share[]): number {
  const total = { dividend: sum(shares.map((each) => each.dividend)), divisor: sum(shares.map((each) => each.divisor)) };
  const left = shares.map((each) => (total.dividend - each.dividend) / (total.divisor - each.divisor));
  const mean = sum(left) / left.length;
  const squares = sum(left.map((each) => (mean - each) ** 2));
  // Where a single request holds all of the divisor, the others have no quotient without it.
  return !(squares > 0 && Number.isFinite(squares)) ? 0 : sum(left.map((each) => (mean - each) ** 3)) / (6 * squares ** 1.5);
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
const quotient = (shares: readonly Share[]): number => sum(shares.map((each) => each.dividend)) / sum(shares.map((each) => each.divisor));

/** Marsaglia's xorshift32 from a fixed seed: the same requests give the same interval. */
function xorshift(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Standard normal distribution function (Abramowitz and Stegun 7.1.26 on the error function, absolute error 1.5e-7). */
export function normalProbability(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const erfc = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x);
  return z > 0 ? 1 - erfc / 2 : erfc / 2;
}

/** Its inverse, by bisection. @param p in (0, 1) */
export function normalQuantile(p: number): number {
  let [low, high] = [-10, 10];
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (normalProbability(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
