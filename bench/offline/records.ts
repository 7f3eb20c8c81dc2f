// Records as lines of JSON: each is on disk as soon as it is printed, and the last may be cut off.

import { writeSync } from "node:fs";

export function printRecord(record: object): void {
  writeSync(1, `${JSON.stringify(record)}\n`);
}

/** Lines that are whole. */
export function readRecords<Entry>(printed: string): Entry[] {
  return printed.split("\n").flatMap((line) => {
    const record = parsed(line);
    return record === undefined ? [] : [record as Entry];
  });
}

/** Undefined where it is not whole. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The list that a part printed; empty where it printed something else, such as an error. */
export function parsedList(text: string): readonly unknown[] {
  const found = parsed(text);
  return Array.isArray(found) ? found : [];
}
