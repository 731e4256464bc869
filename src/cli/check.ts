import type { Command } from "commander";
import { check } from "../session/check.ts";
import { conclude, EXIT } from "./exit.ts";
import { findingsText } from "./findings-text.ts";
import { readRig } from "./read-file.ts";

export function registerCheck(program: Command): void {
  program
    .command("check")
    .argument("<rig>", "rig file")
    .description("open everything the rig names, measure the links, say what is wrong")
    .option("--json", "print the findings as one JSON document")
    .addHelpText("after", "\nExample:\n  joulebench check rigs/pi5.yaml")
    .action((path: string, { json = false }: { json?: boolean }) =>
      conclude(async () => {
        const rig = readRig(path);
        if (!json)
          process.stderr.write(`opening ${[...Object.keys(rig.instruments), ...(rig.device ? ["the device"] : [])].join(" and ")}…\n`);
        const findings = await check(rig);
        if (json) process.stdout.write(`${JSON.stringify(findings, null, 1)}\n`);
        else process.stdout.write(`${findingsText(findings)}\n`);
        return findings.every((each) => each.ok) ? EXIT.valid : EXIT.link;
      }),
    );
}
