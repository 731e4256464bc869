import { expect, test } from "vitest";
import { bodyLines } from "../../src/engines/http-lines.ts";
import type { Line } from "../../src/model/transport.ts";

const LAST = 'data: {"content":"","stop":true,"prompt":"Grüße 🦜"}';
const BYTES = new TextEncoder().encode(`data: {"content":"é"}\r\n\r\n${LAST}\n\n`);

test("a line that comes in two reads, cut anywhere, is one line with the stamp of its end", async () => {
  for (let cut = 1; cut < BYTES.length; cut++) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(BYTES.subarray(0, cut));
        controller.enqueue(BYTES.subarray(cut));
        controller.close();
      },
    });
    let reads = 0;
    const lines: Line[] = [];
    for await (const line of bodyLines(new Response(body), () => ++reads)) lines.push(line);
    expect(lines.map(({ text }) => text)).toEqual(['data: {"content":"é"}', "", LAST, ""]);
    expect(lines.at(-1)!.host_ns).toBe(2);
  }
});
