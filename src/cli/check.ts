import type { Command } from "commander";
import { check } from "../session/check.ts";
import type { Finding } from "../session/finding.ts";
import { conclude, EXIT } from "./exit.ts";
import { printable, wrap } from "./format.ts";
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
        else process.stdout.write(`${told(findings)}\n`);
        return findings.every((each) => each.ok) ? EXIT.valid : EXIT.link;
      }),
    );
}

/** A longer name, such as that of a serial port, has a line of its own: what is wrong with it needs the room. */
const LONGEST_NAME = 20;

function told(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ what }) => what.length).filter((length) => length <= LONGEST_NAME));
  const indent = 2 + 1 + 2 + width + 2;
  return findings
    .map(({ what, ok, detail }) => {
      const name = printable(what);
      const gap = name.length > width ? `\n${" ".repeat(indent)}` : " ".repeat(width - name.length + 2);
      return `  ${ok ? "✓" : "✗"}  ${name}${gap}${wrap(printable(detail).replaceAll("\n", " "), indent)}`;
    })
    .join("\n");
}
