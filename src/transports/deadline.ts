import { JoulebenchError } from "../model/errors.ts";

/** Whether `end` settles within `limit_ms`. */
export async function settlesWithin(end: Promise<unknown>, limit_ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limit_ms);
  });
  const settled = end.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, late]).finally(() => clearTimeout(timer));
}

/** What the device answers. @throws JoulebenchError `link` when it takes longer than `limit_s`; what comes later is given to `drop` */
export async function within<T>(answer: Promise<T>, limit_s: number, subject: string, drop?: (late: T) => void): Promise<T> {
  if (await settlesWithin(answer, limit_s * 1000)) return answer;
  answer.then(drop, () => undefined);
  throw new JoulebenchError("link", subject, `no answer within ${limit_s} s`);
}
