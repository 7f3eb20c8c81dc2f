// Commands on their way to the GPU: what nobody must see in between is submitted together.

import type { PreparedKernel } from "../gpu/logical_gpu.ts";
import type { Recorded } from "./ahead.ts";
import type { Encoding } from "./encoding.ts";
import type { HostWork } from "./host_work.ts";
import type { GpuPass } from "./spans.ts";

/** With the place of its timestamps. */
export interface EncodedPass extends GpuPass {
  readonly slot: number;
}

export interface Batch {
  /** For copies; opens the batch. */
  encoder(): GPUCommandEncoder;
  /** A sum of a collective. */
  reduce(prepared: PreparedKernel, instruction: number): void;
  /** The model's kernels and copies. */
  add(recorded: Recorded): void;
  /** Says that bytes were written to buffers: the GPU does that before the next batch. */
  wrote(): void;
  /** Returns a number for `awaited`, of this submission or, with nothing to submit, of the last. */
  submit(): number;
  /** Whether something was submitted or written that nobody has awaited. */
  isOutstanding(): boolean;
  /** Says that the GPU has done what was submitted up to then; without a number, everything. */
  awaited(submission?: number): void;
  /** All passes of the step so far, and how many of them were submitted. */
  readonly passes: readonly EncodedPass[];
  submittedPasses(): number;
}

export function createBatch(queue: GPUQueue, encoding: Encoding, host: HostWork): Batch {
  const passes: EncodedPass[] = [];
  let closed: GPUCommandBuffer[] = [];
  let open: GPUCommandEncoder | undefined;
  let submitted = 0;
  let before: GpuPass["before"] = "host";
  // Submissions and writes, counted together.
  let given = 0;
  let lastSubmission = 0;
  let done = 0;

  const opened = (): GPUCommandEncoder => (open ??= encoding.open());
  const close = (): void => {
    if (open !== undefined) closed.push(open.finish());
    open = undefined;
  };
  const push = (pass: Omit<EncodedPass, "before">): void => {
    passes.push({ ...pass, before });
    before = "host";
  };

  return {
    passes,
    submittedPasses: () => submitted,
    encoder() {
      before = "move";
      return opened();
    },
    reduce(prepared, instruction) {
      const slot = host.timed("encodeMs", () => encoding.kernel(opened(), prepared));
      push({ instruction, slot, kind: "reduce" });
    },
    add(recorded) {
      if (open !== undefined) host.timed("submitMs", close);
      open = recorded.encoder;
      for (const { instruction, slot, followsCopy } of recorded.passes) {
        if (followsCopy) before = "move";
        push({ instruction, slot, kind: "compute" });
      }
      if (recorded.endsWithCopy) before = "move";
    },
    wrote() {
      before = "upload";
      given += 1;
    },
    submit() {
      if (open === undefined) return lastSubmission;
      host.timed("submitMs", () => {
        close();
        queue.submit(closed);
      });
      closed = [];
      submitted = passes.length;
      given += 1;
      lastSubmission = given;
      return lastSubmission;
    },
    isOutstanding: () => done < given,
    awaited(submission = given) {
      done = Math.max(done, submission);
    },
  };
}
