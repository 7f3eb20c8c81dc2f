// The digest that a result carries of itself. It finds what was changed after the run, by hand, by a tool or on the
// way. It is no signature: whoever means to forge a result can make a new one, so nothing is believed for its sake.

import { fingerprint } from "./canonical_json.ts";
import type { RunResult } from "./result.ts";

/** A result as its file holds it. */
export interface SealedResult extends RunResult {
  /** Of all else, as canonical JSON. */
  readonly sha256: string;
}

export const seal = (result: RunResult): SealedResult => ({
  ...result,
  sha256: fingerprint(result),
});

/** Whether a file's content is what was sealed. */
export const isSealed = ({ sha256, ...content }: Readonly<Record<string, unknown>>): boolean =>
  sha256 === fingerprint(content);
