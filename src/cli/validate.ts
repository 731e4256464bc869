import type { Command } from "commander";
import { analyzeSession } from "../session/analysis.ts";
import { conclude, exitOfResults } from "./exit.ts";
import { noteState } from "./report.ts";
import { validityTable, verdict } from "./results-table.ts";

export function registerValidate(program: Command): void {
  program
    .command("validate")
    .argument("<session>", "session folder")
    .description("apply every validity rule to a session; exit 1 when one fails")
    .option("--json", "print the rules as one JSON document")
    .addHelpText("after", "\nExample:\n  joulebench validate sessions/pi5-q4")
    .action((session: string, { json = false }: { json?: boolean }) =>
      conclude(async () => {
        const { session: file, results } = analyzeSession(session);
        noteState(session, file);
        process.stdout.write(
          json ? `${JSON.stringify(results.validity, null, 1)}\n` : `${validityTable(results, true)}\n\n${verdict(results)}\n`,
        );
        return exitOfResults(results);
      }),
    );
}
