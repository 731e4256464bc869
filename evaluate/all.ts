import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Runs every `evaluate:…` script of package.json, one after the other, and fails if one of them does. */
const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Readonly<Record<string, string>> };
const wanted = Object.keys(scripts).filter((name) => name.startsWith("evaluate:") && name !== "evaluate:build");
const failed = wanted.filter((name) => {
  process.stdout.write(`\n== ${name}\n`);
  return spawnSync("npm", ["run", "--silent", name], { stdio: "inherit" }).status !== 0;
});
process.stdout.write(failed.length === 0 ? "\nevery evaluation holds\n" : `\noutside of their limits: ${failed.join(", ")}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
