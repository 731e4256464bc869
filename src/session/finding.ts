import { JoulebenchError } from "../model/errors.ts";

/** One thing looked at: in order, or what to do. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

export const good = (what: string, detail: string): Finding => ({ what, ok: true, detail });
export const bad = (what: string, detail: string): Finding => ({ what, ok: false, detail });

/** An error as a finding: its subject is what was looked at. */
export const findingOf = ({ subject, message }: JoulebenchError): Finding => bad(subject, message.slice(subject.length + 2));

/** What went wrong while something was looked at; nothing when nothing did. */
export async function attempt(act: () => Promise<unknown>): Promise<JoulebenchError | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof JoulebenchError) return error;
    throw error;
  }
}
