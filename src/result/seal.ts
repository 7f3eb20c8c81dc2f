// The digest that a result carries of itself. It finds what was changed after the run, by hand, by a tool or on the
// way. It is no signature: whoever means to forge a result can make a new one, so nothing is believed for its sake.

import { fingerprint } from "./fingerprint.ts";

/** With the digest of all else, as canonical JSON. */
export function seal<Content extends object>(
  content: Content,
): Content & { readonly sha256: string } {
  return { ...content, sha256: fingerprint(content) };
}

/** Whether a file's content is what was sealed. */
export function isSealed({ sha256, ...content }: Readonly<Record<string, unknown>>): boolean {
  return sha256 === fingerprint(content);
}
