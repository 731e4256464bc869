import { existsSync, readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { significant } from "../../src/cli/format.ts";
import { importers } from "../../src/importers/index.ts";
import { BAUD } from "../../src/instruments/bridge-ina219-options.ts";
import { phonePlant } from "../../src/simulate/phone.ts";
import { examplesOf, named, pages, proseOf, rowsBelow, textOf } from "./pages.ts";

interface CommandLine {
  readonly where: string;
  readonly words: readonly string[];
}

/** Lines of examples, and of prose between backticks, that call `program`. */
const callsOf = (program: string): CommandLine[] =>
  pages.flatMap((page) => {
    const examples = examplesOf(page).flatMap(({ line, text }) => text.split("\n").map((each) => [`${page}:${line}`, each] as const));
    const prose = proseOf(page)
      .split("\n")
      .flatMap(named)
      .map((each) => [page, each] as const);
    return [...examples, ...prose].flatMap(([where, text]) => {
      const words = text.trim().split(/\s+/);
      return words[0] === program && words.length > 1 ? [{ where, words: words.slice(1) }] : [];
    });
  });

/** The program's commands, as its files in src/cli register them. */
const program = new Command();
const registrations = readdirSync("src/cli").flatMap((file) =>
  [...readFileSync(`src/cli/${file}`, "utf8").matchAll(/^export function (register\w+)/gm)].map((match) => ({ file, name: match[1]! })),
);
for (const { file, name } of registrations) {
  const module: Record<string, (program: Command) => void> = await import(pathToFileURL(`src/cli/${file}`).href);
  module[name]!(program);
}
const commands = program.commands.map((each) => each.name());
const optionsOf = (command: string): (string | undefined)[] =>
  program.commands.find((each) => each.name() === command)!.options.map((each) => each.long);

/** Rows of the table of commands, without those that come later. */
const surface = rowsBelow("docs/architecture.md", "Public surface (stable; scripts depend on it)");

describe("joulebench", () => {
  test("has every command that src/cli registers", () => {
    const main = readFileSync("src/main.ts", "utf8");
    expect(registrations.filter(({ name }) => !main.includes(name))).toEqual([]);
    expect(commands.length).toBeGreaterThan(6);
  });

  test("architecture.md has every command, and marks those that come later", () => {
    const since = surface.filter(([, when]) => when !== "later").flatMap(([cell]) => named(cell!).map((each) => each.split(" ")[1]!));
    expect(since.sort()).toEqual(commands.toSorted());
  });

  test("every call on a page has a command and options that exist", () => {
    const later = surface
      .filter(([, when]) => when === "later")
      .flatMap(([cell]) => named(cell!).map((each) => each.replace("joulebench ", "")));
    const wrong = callsOf("joulebench")
      .filter(({ words }) => !later.some((each) => each.split(" ")[0] === words[0]))
      .flatMap(({ where, words: [command = "", ...rest] }) => {
        if (!commands.includes(command)) return [`${where}: joulebench ${command}`];
        const options = rest.map((word) => word.replaceAll(/[[\]]/g, "")).filter((word) => word.startsWith("--"));
        return options
          .filter((option) => !optionsOf(command).includes(option))
          .map((option) => `${where}: joulebench ${command} ${option}`);
      });
    expect(wrong).toEqual([]);
  });

  test("every import on a page names a format", () => {
    const formats = callsOf("joulebench").flatMap(({ words }) => (words[0] === "import" && words.length > 2 ? [words[1]!] : []));
    expect(formats.filter((format) => format !== "FORMAT" && !importers.some((each) => each.format === format))).toEqual([]);
  });
});

test("npm scripts that pages name exist", () => {
  const { scripts, engines } = JSON.parse(readFileSync("package.json", "utf8"));
  const calls = callsOf("npm").filter(({ words }) => words[0] === "run");
  expect(calls.length).toBeGreaterThan(3);
  expect(calls.filter(({ words }) => !(words[1]! in scripts))).toEqual([]);
  expect(textOf("README.md")).toContain(`Node ${engines.node.replace(">=", "≥ ")}`);
});

test("avrdude lines flash the hex that is there, at the two bootloaders' rates", () => {
  const calls = callsOf("avrdude").filter(({ where }) => !where.startsWith("firmware-bridge/"));
  expect(calls.length).toBeGreaterThanOrEqual(5);
  for (const { words } of calls) {
    const hex = /^flash:w:(.+):i$/.exec(words.at(-1)!)![1]!;
    expect(existsSync(hex)).toBe(true);
    expect(["115200", "57600"]).toContain(words[words.indexOf("-b") + 1]);
    expect(words.join(" ")).toMatch(/^-p atmega328p -c arduino -P \/dev\/tty\w+ -b \d+ -D -U flash/);
  }
  expect(textOf("firmware-bridge/PROTOCOL.md").replaceAll(" ", "")).toContain(`${BAUD}Bd`);
});

test("the README's table is the demo's: its truth, and results inside their uncertainty", () => {
  const truths = Object.values(phonePlant({ seed: 1 }).truth()).map((value) => significant(value, 6));
  const table = examplesOf("README.md").find(({ text }) => text.includes("simulated phone"))!.text;
  const rows = [...table.matchAll(/^ {2}(.+?) +([\d.]+) ± ([\d.]+) +([\d.]+) .* inside$/gm)];
  const source = readFileSync("src/cli/demo.ts", "utf8");
  expect(rows).toHaveLength(9);
  for (const [, label, value, U, truth] of rows) {
    expect(source).toContain(`"${label}"`);
    expect(truths).toContain(truth);
    expect(Math.abs(Number(value) - Number(truth)), label).toBeLessThanOrEqual(Number(U));
  }
});
