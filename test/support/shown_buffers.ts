// What ranks would show, were they the interpreter.

import type { ObservedBuffer } from "../../src/runtime/observation.ts";
import type { Observed } from "./interpret.ts";

export function shownBuffers(observed: readonly Observed[]): ObservedBuffer[] {
  return observed.map(({ data, ...rest }) => ({
    ...rest,
    bytes: new Uint8Array(
      (["routes", "candidates"].includes(rest.observation.kind) ? Uint32Array : Float32Array).from(
        data,
      ).buffer,
    ),
  }));
}
