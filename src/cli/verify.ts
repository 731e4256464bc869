import type { Command } from "commander";
import type { Lapse } from "../model/tape.ts";
import { type Verification, verifySession } from "../session/verify.ts";
import { conclude, EXIT } from "./exit.ts";
import { table, wrap } from "./format.ts";

/** Stretches named; a disk that was full for a day has many. */
const MOST_NAMED = 10;

export function registerVerify(program: Command): void {
  program
    .command("verify")
    .argument("<session>", "session folder")
    .description("count what is on the tape against what should be; exit 1 when anything is missing or suspect")
    .option("--json", "print the counts as one JSON document")
    .addHelpText("after", "\nExample:\n  joulebench verify sessions/pi5-q4")
    .action((session: string, { json = false }: { json?: boolean }) =>
      conclude(async () => {
        const found = verifySession(session);
        process.stdout.write(json ? `${JSON.stringify(found, null, 1)}\n` : textOf(found));
        return found.holds && found.isComplete ? EXIT.valid : EXIT.invalid;
      }),
    );
}

function textOf({ counts, lapses, damaged_bytes, holds, isComplete }: Verification): string {
  const rows = counts.map(({ what, by, expected, stored, missing, suspect, holds: sums }) => [
    ...[what, by, String(expected), String(stored), String(missing), String(suspect)],
    sums ? "adds up" : "DOES NOT ADD UP",
  ]);
  const head = ["", "by", "expected", "stored", "missing", "suspect", ""];
  const parts = [table([head, ...rows], [2, 3, 4, 5])];
  if (lapses.length > 0) parts.push([...lapses.slice(0, MOST_NAMED).map(stretch), ...more(lapses.length)].join("\n"));
  if (damaged_bytes > 0) parts.push(`${damaged_bytes} bytes of the tape form no record`);
  parts.push(
    holds
      ? isComplete
        ? "complete: everything that was sent is on the tape"
        : "accounted for: what is missing or suspect is known, and the windows it touches are invalid"
      : "NOT accounted for: the tape was damaged after it was written, or an instrument did not keep its rate",
  );
  return `${parts.join("\n\n")}\n`;
}

const stretch = ({ state, from_ns, to_ns, fromSeq, toSeq, cause }: Lapse): string =>
  wrap(`${state}: ${toSeq - fromSeq + 1} records from ${(from_ns / 1e9).toFixed(2)} s to ${(to_ns / 1e9).toFixed(2)} s (${cause})`, 2);

const more = (count: number): string[] => (count > MOST_NAMED ? [`and ${count - MOST_NAMED} more such stretches`] : []);
