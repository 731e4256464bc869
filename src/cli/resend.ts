import type { Command } from "commander";
import { JoulebenchError } from "../model/errors.ts";
import { type Resent, resend } from "../session/resend.ts";
import { readSessionFile } from "../store/session-file.ts";
import { conclude, EXIT } from "./exit.ts";
import { printable } from "./format.ts";
import { interruptSignal } from "./interrupt.ts";
import { readRig } from "./read-file.ts";

export function registerResend(program: Command): void {
  program
    .command("resend")
    .argument("<session>", "session folder")
    .description("send what the database has not got of a session")
    .option("--from <time>", "send everything from there on again: seconds of session time, or a time such as 2026-03-01T22:00Z")
    .option("--rig <file>", "rig whose sinks it goes to, in place of the session's own")
    .option("--json", "print what became of it as one JSON document")
    .addHelpText("after", "\nExamples:\n  joulebench resend sessions/pi5-q4\n  joulebench resend sessions/pi5-q4 --from 0")
    .action((session: string, options: ResendCommandOptions) => conclude(() => resendCommand(session, options)));
}

interface ResendCommandOptions {
  readonly from?: string;
  readonly rig?: string;
  readonly json?: boolean;
}

async function resendCommand(dir: string, { from, rig, json = false }: ResendCommandOptions): Promise<number> {
  const signal = interruptSignal();
  const resent = await resend(dir, {
    ...(from === undefined ? {} : { from_s: sessionTime(from, dir) }),
    ...(rig === undefined ? {} : { rig: readRig(rig) }),
    signal,
    notice: (message) => process.stderr.write(`${printable(message)}\n`),
  });
  process.stdout.write(json ? `${JSON.stringify(resent, null, 1)}\n` : resent.map((each) => `${sentence(each)}\n`).join(""));
  if (signal.aborted) return EXIT.interrupted;
  return resent.some(({ refused, waiting }) => refused + waiting > 0) ? EXIT.sink : EXIT.valid;
}

function sentence({ kind, sent, refused, waiting, reason, anew }: Resent): string {
  const from = anew ? "made again from the tape" : "from the outbox";
  const parts = [
    ...(sent > 0 ? [`${sent} points sent, ${from}`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(waiting > 0 ? [`${waiting} wait`] : []),
  ];
  return `${kind}: ${parts.join(", ") || "nothing waited"}${reason === undefined ? "" : ` (${printable(reason)})`}`;
}

/** @throws JoulebenchError `config` when it is neither a number nor a time */
function sessionTime(text: string, dir: string): number {
  const seconds = Number(text);
  if (text.trim() !== "" && Number.isFinite(seconds)) return seconds;
  const wall_ms = Date.parse(text);
  if (Number.isNaN(wall_ms))
    throw new JoulebenchError("config", `--from ${text}`, "expected seconds of session time, or a time such as 2026-03-01T22:00Z");
  const { wallStart_ns } = readSessionFile(dir);
  return wall_ms / 1000 - Number(BigInt(wallStart_ns) / 1_000_000n) / 1000;
}
