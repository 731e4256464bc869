/** A stretch of time on the recording computer's clock, in seconds since 1970. */
export interface Span {
  readonly start_s: number;
  readonly end_s: number;
}

/** On one clock, decodes outside of their prompt by more than what `expect` may notice late belong to another. */
const EXPECT_S = 0.1;

/** MELT waits 5 s between prompts; no step of a decode takes as long. */
const PAUSE_S = 2.5;

/**
 * Puts the decodes a device stamped onto the clock of the computer that timed the prompts.
 *
 * All decodes of a prompt happen while the computer waits for it, so each prompt bounds the difference of the clocks from
 * both sides; all prompts together, because the clocks are not observed in between. Within a prompt the batches of its
 * prefill come first, so as many decodes from the end as tokens were evaluated are tokens, and the one before ends the
 * prefill: the first token appears there.
 *
 * @param decodes ends of all decodes of a conversation, rising, on the device's clock
 * @param evaluated tokens evaluated after the first, prompt by prompt
 * @param isOneClock true where the device timed the prompts itself: then there is no difference to find
 * @returns undefined when the decodes do not fall into as many groups, or no one difference fits all prompts
 */
export function tokensByPrompt(
  decodes: readonly number[],
  spans: readonly Span[],
  evaluated: readonly number[],
  isOneClock = false,
): { readonly tokens: readonly (readonly number[])[]; readonly u_s: number } | undefined {
  const groups = grouped(decodes).slice(-spans.length);
  if (spans.length === 0 || groups.length < spans.length) return undefined;
  if (groups.some((group, k) => group.length <= evaluated[k]!)) return undefined;
  const least_s = Math.max(...groups.map((group, k) => spans[k]!.start_s - group[0]!));
  const largest_s = Math.min(...groups.map((group, k) => spans[k]!.end_s - group.at(-1)!));
  if (least_s > largest_s || (isOneClock && (least_s > EXPECT_S || largest_s < -EXPECT_S))) return undefined;
  const ahead_s = isOneClock ? 0 : (least_s + largest_s) / 2;
  const tokens = groups.map((group, k) => group.slice(group.length - evaluated[k]! - 1).map((at_s) => at_s + ahead_s));
  return { tokens, u_s: isOneClock ? 0 : (largest_s - least_s) / Math.sqrt(12) };
}

function grouped(decodes: readonly number[]): readonly (readonly number[])[] {
  const groups: number[][] = [];
  for (const [k, at_s] of decodes.entries()) {
    if (k === 0 || at_s - decodes[k - 1]! > PAUSE_S) groups.push([]);
    groups.at(-1)!.push(at_s);
  }
  return groups;
}
