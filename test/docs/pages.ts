import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A fenced block of a page: what stands after the fence, its text, and the line of the fence. */
export interface Example {
  readonly page: string;
  readonly line: number;
  readonly info: string;
  readonly text: string;
}

export interface TableRow {
  readonly page: string;
  /** Text of the heading above the table. */
  readonly heading: string;
  readonly cells: readonly string[];
}

const MARKDOWN = /\.md$/;

/** Every page a user may read, by its path in the project. */
export const pages: readonly string[] = [
  ...["README.md", "CHANGELOG.md", "CONTRIBUTING.md"],
  ...below("docs"),
  ...readdirSync("firmware-bridge")
    .filter((name) => MARKDOWN.test(name))
    .map((name) => join("firmware-bridge", name)),
];

function below(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => MARKDOWN.test(name))
    .map((name) => join(folder, name))
    .sort();
}

export const textOf = (page: string): string => readFileSync(page, "utf8");

export function examplesOf(page: string): Example[] {
  const examples: Example[] = [];
  let open: { line: number; info: string; lines: string[] } | undefined;
  for (const [index, text] of textOf(page).split("\n").entries()) {
    const fence = /^```(.*)$/.exec(text);
    if (!fence) open?.lines.push(text);
    else if (open) {
      examples.push({ page, line: open.line, info: open.info, text: open.lines.join("\n") });
      open = undefined;
    } else open = { line: index + 1, info: fence[1]!.trim(), lines: [] };
  }
  return examples;
}

/** The page without its fenced blocks. */
export const proseOf = (page: string): string => textOf(page).replaceAll(/^```(?:.|\n)*?^```$/gm, "");

/** Body rows of all tables of a page. */
export function rowsOf(page: string): TableRow[] {
  const rows: TableRow[] = [];
  let heading = "";
  let body = false;
  for (const line of proseOf(page).split("\n")) {
    if (line.startsWith("#")) heading = line.replace(/^#+ /, "");
    if (!line.startsWith("|")) body = false;
    else if (/^\|[-|]+\|$/.test(line)) body = true;
    else if (body) rows.push({ page, heading, cells: cellsOf(line) });
  }
  return rows;
}

/** Body rows below one heading of a page. */
export const rowsBelow = (page: string, heading: string): (readonly string[])[] =>
  rowsOf(page)
    .filter((row) => row.heading === heading)
    .map(({ cells }) => cells);

const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));

/** What stands between backticks in a cell. */
export const named = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
