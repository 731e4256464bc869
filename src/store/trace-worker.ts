import { parentPort, workerData } from "node:worker_threads";
import { JoulebenchError } from "../model/errors.ts";
import type { TraceFacts } from "./part-writer.ts";
import type { Batch } from "./trace-batch.ts";
import { TraceStream } from "./trace-stream.ts";
import type { WorkerAnswer } from "./trace-writer.ts";

// The thread of a TraceWriter: converts, compresses and syncs, away from the thread that measures or decodes.
const { trace, facts } = workerData as { trace: string; facts: TraceFacts };
const streams = new Map<string, TraceStream>();
const answer = (message: WorkerAnswer): void => parentPort!.postMessage(message);

function take(batch: Batch): void {
  const stream = streams.get(batch.source) ?? new TraceStream(trace, batch.source, facts);
  streams.set(batch.source, stream);
  stream.add(batch);
  answer({ type: "taken" });
}

parentPort!.on("message", (message: Batch | "close") => {
  try {
    if (message !== "close") return take(message);
    answer({ type: "closed", streams: [...streams.values()].map((each) => each.close()) });
  } catch (error) {
    if (!(error instanceof JoulebenchError)) throw error;
    // The class is lost on the way to the other thread; its parts are not.
    const { subject, message: text } = error;
    answer({ type: "failed", subject, message: text.slice(subject.length + 2) });
  }
  parentPort!.close();
});
