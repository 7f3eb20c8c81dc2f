// What stands for a value: equal values have equal ones.

import { createHash } from "node:crypto";
import { canonicalJson } from "./canonical_json.ts";

/** sha256, in hex, of the canonical JSON. */
export function fingerprint(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}
