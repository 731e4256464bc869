/**
 * Coverage factor for about 95 %: the 0.97725 quantile of Student's t, which is 2.00 for infinite degrees of freedom.
 *
 * GUM (JCGM 100:2008) G.3 and G.6.4, where the effective degrees of freedom come from Welch and Satterthwaite.
 */
export function coverageFactor(dof: number): number {
  if (dof < 1) return Number.POSITIVE_INFINITY;
  if (dof > 1e6) return 2;
  let low = 0;
  let high = 1000;
  while (high - low > 1e-9 * high) {
    const middle = (low + high) / 2;
    if (tailProbability(middle, dof) > 1 - TWO_SIGMA) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** One-sided probability that a normal variable stays below two standard deviations. */
const TWO_SIGMA = 0.977249868051821;

/** P(T > t) for t >= 0: half the regularised incomplete beta function I_x(dof / 2, 1 / 2), x = dof / (dof + t²). */
function tailProbability(t: number, dof: number): number {
  return 0.5 * incompleteBeta(dof / (dof + t * t), dof / 2, 0.5);
}

/** Regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8), modified Lentz method. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x)) / a;
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / Math.max(tiny, 1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 300; m++) {
    for (const term of [
      (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)),
      (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)),
    ]) {
      d = 1 / guard(1 + term * d, tiny);
      c = guard(1 + term / c, tiny);
      fraction *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front * fraction;
}

const guard = (value: number, tiny: number): number => (Math.abs(value) < tiny ? tiny : value);

/** Lanczos approximation (g = 7, n = 9), relative error below 1e-15 for positive arguments. */
function logGamma(z: number): number {
  if (z < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * z)) - logGamma(1 - z);
  const x = z - 1;
  let sum = LANCZOS[0]!;
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (x + i);
  const t = x + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];
