import { defineConfig } from "vitest/config";

/** The long fault matrices, which print a table: npx vitest run --config vitest.faults.config.ts */
export default defineConfig({
  test: {
    include: ["test/faults/**/*.faults.ts"],
    fileParallelism: false,
    allowOnly: false,
    expect: { poll: { timeout: 60_000 } },
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
