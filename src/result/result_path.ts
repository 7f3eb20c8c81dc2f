// Names of result files: of plans whose names may hold anything, in folders whose names may not.

import { createHash } from "node:crypto";
import { join, parse } from "node:path";

/** Of one name, in file systems of all kinds. */
const mostBytes = 255;
/** For what `partialPath` adds. */
const reservedBytes = ".partial-9999".length;

/**
 * Where the result of a complete run goes unless told otherwise. Names that had to be changed, or that could be taken
 * for what a broken run of another plan kept, end in a digest, so that different plans have different files.
 */
export function resultPath(planName: string): string {
  const plain = planName.replaceAll(/[^\p{Letter}\p{Number}._-]+/gu, "-").replace(/^\.+/, "-");
  const isOwn = plain === planName && plain !== "" && !/\.partial(-\d+)?$/.test(plain);
  return join("results", fitted(isOwn ? plain : `${plain}-${digestOf(planName)}`, ".json"));
}

/** Beside the result of a complete run, for what a broken one kept. @param attempt from 1, where others lie there */
export function partialPath(file: string, attempt: number): string {
  const { dir, name, ext } = parse(file);
  const mark = attempt === 1 ? ".partial" : `.partial-${attempt}`;
  return join(dir, fitted(name, `${mark}${ext}`));
}

/** Too long a name is cut, and ends in a digest of all of it. */
function fitted(name: string, end: string): string {
  const room = mostBytes - Math.max(Buffer.byteLength(end), reservedBytes + ".json".length);
  if (Buffer.byteLength(name) <= room) return `${name}${end}`;
  const digest = `-${digestOf(name)}`;
  let kept = "";
  for (const character of name) {
    if (Buffer.byteLength(kept + character) > room - digest.length) break;
    kept += character;
  }
  return `${kept}${digest}${end}`;
}

function digestOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 12);
}
