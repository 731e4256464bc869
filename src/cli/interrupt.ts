/** Aborts on the first Ctrl-C or SIGTERM; the second ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      process.stderr.write("\nstopping in order; once more to stop at once\n");
      controller.abort();
    });
  return controller.signal;
}
