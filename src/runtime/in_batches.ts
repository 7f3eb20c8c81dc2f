// Much work that is under way at once, and yet lets the rank be heard.

import { setImmediate } from "node:timers/promises";
import { patiently } from "../gpu/patience.ts";

/** Enough to keep a driver's threads at work. */
const batch = 256;

/** Does `work` for every item, so many at a time; `onProgress` is told of each. */
export async function inBatches<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
  onProgress: () => void,
): Promise<void> {
  let underWay: Promise<void>[] = [];
  const settle = async (): Promise<void> => {
    // Who looks all the time whether a driver has compiled takes the core that it compiles on.
    await patiently(Promise.all(underWay));
    underWay = [];
    await setImmediate();
  };
  for (const item of items) {
    underWay.push(work(item).then(onProgress));
    if (underWay.length === batch) await settle();
  }
  await settle();
}
