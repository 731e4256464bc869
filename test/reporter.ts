import { writeSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

/**
 * Says `N passed, N failed` alone on the last line, for whoever reads the end of the output.
 *
 * What failed outside any test counts as one failure each: a file that could not be loaded, a hook, an error
 * nobody caught. The line is written as the process exits, when the other reporters have spoken.
 */
export default class LastLine implements Reporter {
  #passed = 0;
  // Until the run has ended it has not succeeded.
  #failed = 1;

  onInit(): void {
    process.once("exit", () => writeSync(1, `${this.#passed} passed, ${this.#failed} failed\n`));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    this.#passed = 0;
    this.#failed = unhandled.length;
    for (const module of modules) {
      const failed = count(module, "failed");
      this.#passed += count(module, "passed");
      this.#failed += failed === 0 && module.state() === "failed" ? 1 : failed;
    }
    // Nothing at all was run: a filter or a broken configuration, no success.
    if (modules.length === 0) this.#failed += 1;
  }
}

const count = (module: TestModule, state: "passed" | "failed"): number => [...module.children.allTests(state)].length;
