/** A digital output switches: from `at_s` on it is at `level`. */
export interface Switching {
  readonly at_s: number;
  readonly level: 0 | 1;
}

/** The line of a phone that holds it low while it answers; else the bridge's pull-up has it high, as with no phone at all. */
export const answeringLine = (requests: readonly { readonly start_s: number; readonly end_s: number }[]): readonly Switching[] =>
  requests.flatMap(({ start_s, end_s }): readonly Switching[] => [
    { at_s: start_s, level: 0 },
    { at_s: end_s, level: 1 },
  ]);

/** The same line, everything `by_s` later. */
export const later = (line: readonly Switching[], by_s: number): readonly Switching[] =>
  line.map(({ at_s, level }) => ({ at_s: at_s + by_s, level }));
