import type { Command } from "commander";
import { importers } from "../importers/index.ts";
import { importSession } from "../session/import.ts";
import { conclude, EXIT } from "./exit.ts";
import { table, wrap } from "./format.ts";
import { keepTrace } from "./keep-trace.ts";
import { printResults } from "./report.ts";

export function registerImport(program: Command): void {
  const formats = table(importers.map((each) => [each.format, each.summary]));
  const examples = importers.map((each) => `  ${wrap(`joulebench import ${each.example}`, 4).replaceAll("\n", " \\\n")}`).join("\n");
  program
    .command("import")
    .argument("<format>", `one of: ${importers.map((each) => each.format).join(", ")}`)
    .argument("<path>", "folder or file to read")
    .requiredOption("--out <dir>", "session folder to make")
    .description("make a session of somebody else's files")
    .option("--json", "print the results as one JSON document")
    .addHelpText("after", `\nFormats:\n${formats}\n\nExamples:\n${examples}`)
    .action((format: string, path: string, { out, json = false }: { out: string; json?: boolean }) =>
      conclude(async () => {
        const { dir, results } = await importSession(format, path, out);
        printResults(results, { json });
        process.stderr.write(`session kept in ${dir}\n`);
        await keepTrace(dir);
        // The import is done; whether its results are valid is for analyze and validate to say.
        return EXIT.valid;
      }),
    );
}
