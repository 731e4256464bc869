// Runs the queue of a plan with cells that measure nothing: each writes a half folder, lets a moment pass, and then
// the results its parameters stand for. Says where it is, a line at a time, so that it can be killed there.
//   experiment-child.js PLAN RIG OUT [resume]
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseExperiment } from "../../dist/rig/parse-experiment.js";
import { parseRig } from "../../dist/rig/rig.js";
import { runExperiment } from "../../dist/session/experiment.js";

const [planPath, rigPath, dir, resume] = process.argv.slice(2);
const rig = parseRig(readFileSync(rigPath, "utf8"), rigPath);
const plan = parseExperiment(readFileSync(planPath, "utf8"), planPath, rig);
const say = (text) => process.stdout.write(`${text}\n`);

async function measure(_rig, cell, folder) {
  say("started");
  mkdirSync(folder);
  writeFileSync(join(folder, "session.json"), "{}");
  say("half");
  await sleep(10);
  const value = Number.parseInt(cell.hash, 16) / 2 ** 32 + cell.repetition / 100;
  const summary = { decode_energy_per_token: { value, unit: "J/token", expanded_uncertainty: 0.01, k: 2, n: 5 } };
  writeFileSync(join(folder, "results.json"), JSON.stringify({ summary, budget: {} }));
  say("whole");
  await sleep(5);
  return { state: "done" };
}

await runExperiment(plan, rig, { dir, resume: resume === "resume", signal: new AbortController().signal, measure });
say("end");
