// What a page has instead of `data/read_ahead.ts`: nothing, for it reads no data set.

export function createReadAhead(): never {
  throw new Error("a page reads no data set");
}
