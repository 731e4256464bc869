import { defineConfig } from "vitest/config";

/** Tests that wait for real time to pass and do little meanwhile: they run after the fast ones, side by side. */
const PATIENT = ["test/**/*.patient.test.ts"];

/** Whole sessions in real time, of which nothing is asked that a busy neighbour could spoil: two at a time. */
const PAIRED = ["test/**/*.paired.test.ts"];

/** Tests whose subject is real time: they run one at a time, after all others, with nothing else on the machine. */
const REALTIME = ["test/e2e/**/*.test.ts", "test/**/*.realtime.test.ts"];

export default defineConfig({
  test: {
    reporters: ["default", "./test/reporter.ts"],
    // A focused test would silently leave all others out.
    allowOnly: false,
    projects: [
      {
        test: {
          name: "fast",
          include: ["test/**/*.test.ts"],
          // Benches with real instruments are asked for by name: npx vitest run --project hardware.
          exclude: [...PATIENT, ...PAIRED, ...REALTIME, "test/hardware/**"],
          globalSetup: "./test/build.ts",
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
          expect: { poll: { timeout: 10_000 } },
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        test: {
          name: "patient",
          include: PATIENT,
          globalSetup: "./test/build.ts",
          maxWorkers: 2,
          maxConcurrency: 12,
          sequence: { groupOrder: 1 },
          expect: { poll: { timeout: 10_000 } },
          testTimeout: 150_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: "paired",
          include: PAIRED,
          globalSetup: "./test/build.ts",
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          expect: { poll: { timeout: 10_000 } },
          testTimeout: 120_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: "realtime",
          include: REALTIME,
          exclude: [...PATIENT, ...PAIRED],
          globalSetup: "./test/build.ts",
          fileParallelism: false,
          maxConcurrency: 12,
          sequence: { groupOrder: 3 },
          expect: { poll: { timeout: 10_000 } },
          testTimeout: 120_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
});
