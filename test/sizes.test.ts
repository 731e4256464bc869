import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const BIOME = resolve("node_modules/.bin/biome");
const entries = readdirSync("src", { recursive: true, withFileTypes: true });
const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
const files = entries
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map(({ parentPath, name }) => ({ path: `${parentPath}/${name}`, text: readFileSync(`${parentPath}/${name}`, "utf8") }));

describe("sizes of docs/architecture.md", () => {
  const lines = files.map(({ text }) => text.trimEnd().split("\n").length).sort((a, b) => a - b);
  const quantile = (q: number): number => lines[Math.min(lines.length - 1, Math.floor(q * lines.length))]!;

  test("no file is longer than 300 lines", () => {
    const long = files.filter(({ text }) => text.trimEnd().split("\n").length > 300);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test("half of the files have at most 80 lines", () => expect(quantile(0.5)).toBeLessThanOrEqual(80));

  test("nine in ten have at most 200", () => expect(quantile(0.9)).toBeLessThanOrEqual(200));
});

test("every folder is a noun of the field", () => {
  expect(folders.length).toBeGreaterThan(0);
  expect(folders.filter((name) => /^(utils?|helpers?|common|lib|types)$/.test(name))).toEqual([]);
});

test("no source silences the compiler or the caps", () => {
  const silencer = /@ts-(ignore|expect-error|nocheck)|biome-ignore.*(noExcessiveLines|useMaxParams|noExplicitAny)/;
  expect(files.filter(({ text }) => silencer.test(text)).map(({ path }) => path)).toEqual([]);
});

// Length of functions, number of parameters and `any` are the linter's; these tests make sure that it looks.
describe("the linter objects to", () => {
  const body = (statements: number): string => `export function f(): void {\n${"  console.log(1);\n".repeat(statements)}}\n`;

  test.each([
    ["a function of more than 60 lines", "noExcessiveLinesPerFunction", body(61)],
    ["more than 4 parameters", "useMaxParams", "export const f = (a: 1, b: 1, c: 1, d: 1, e: 1): number => a + b + c + d + e;\n"],
    ["any", "noExplicitAny", "export const f = (a: any): string => String(a);\n"],
    ["more than 300 lines", "noExcessiveLinesPerFile", "export const a = 1;\n".repeat(301)],
    ["a silenced compiler", "noTsIgnore", "// @ts-ignore\nexport const a: string = 1;\n"],
  ])("%s", (_, rule, text) => {
    const found = lint("src/metrics/fixture.ts", text);
    expect(found.status).not.toBe(0);
    expect(found.output).toContain(rule);
  });

  test("a skipped test", () => expect(lint("test/fixture.test.ts", 'test.skip("x", () => {});\n').output).toContain("noSkippedTests"));

  test("and lets pass what is within the caps", () => {
    const text = `${body(57)}export const g = (a: 1, b: 1, c: 1, d: 1): number => a + b + c + d;\n`;
    expect(lint("src/metrics/fixture.ts", text)).toMatchObject({ status: 0 });
  });

  test("nothing in src", () => {
    const rules = ["complexity/noExcessiveLinesPerFunction", "complexity/useMaxParams", "suspicious/noExplicitAny"];
    const found = spawnSync(BIOME, ["lint", ...rules.map((rule) => `--only=${rule}`), "src"], { encoding: "utf8" });
    expect(found.status, found.stderr).toBe(0);
  });
});

/** The linter's word on `text`, as if it stood at `path` of this project. */
function lint(path: string, text: string): { status: number | null; output: string } {
  const project = mkdtempSync(join(tmpdir(), "joulebench-lint-"));
  try {
    copyFileSync("biome.json", join(project, "biome.json"));
    mkdirSync(join(project, dirname(path)), { recursive: true });
    writeFileSync(join(project, path), text);
    const { status, stdout, stderr } = spawnSync(BIOME, ["lint", "."], { cwd: project, encoding: "utf8" });
    return { status, output: stdout + stderr };
  } finally {
    rmSync(project, { recursive: true });
  }
}
