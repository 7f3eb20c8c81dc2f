// JSON Patch on plain values, by a library that follows RFC 6902 to the letter.

import { applyPatch } from "rfc6902";
import type { PatchOperation } from "./fix.ts";

/** A patched copy; undefined where the patch does not fit the value. */
export function patched(value: unknown, patch: readonly PatchOperation[]): unknown {
  const copy: unknown = structuredClone(value);
  // What is added is cloned too, so that later operations do not reach into the patch.
  const failures = applyPatch(copy, structuredClone([...patch]));
  return failures.every((failure) => failure === null) ? copy : undefined;
}
