// Commands on their way to the GPU: consecutive kernels and copies share one command buffer.

import type { PreparedKernel } from "../gpu/logical_gpu.ts";
import type { Timestamps } from "../gpu/timestamps.ts";
import type { HostWork } from "./host_work.ts";
import type { GpuPass } from "./spans.ts";

export interface Batch {
  /** For copies; opens the batch. */
  encoder(): GPUCommandEncoder;
  /** One kernel in a compute pass of its own, so that it can be timed. */
  kernel(prepared: PreparedKernel, instruction: number, kind: GpuPass["kind"]): void;
  /** Says that bytes were written to buffers: the GPU does that before the next batch. */
  wrote(): void;
  /** Returns a number for `awaited`, of this submission or, with nothing to submit, of the last. */
  submit(): number;
  /** Whether something was submitted or written that nobody has awaited. */
  isOutstanding(): boolean;
  /** Says that the GPU has done what was submitted up to then; without a number, everything. */
  awaited(submission?: number): void;
  /** All passes of the step so far, and how many of them were submitted. */
  readonly passes: readonly GpuPass[];
  submittedPasses(): number;
}

export function createBatch(
  device: GPUDevice,
  label: string,
  timestamps: Timestamps | undefined,
  host: HostWork,
): Batch {
  const passes: GpuPass[] = [];
  let open: GPUCommandEncoder | undefined;
  let submitted = 0;
  let before: GpuPass["before"] = "host";
  // Submissions and writes, counted together.
  let given = 0;
  let lastSubmission = 0;
  let done = 0;

  const opened = (): GPUCommandEncoder => (open ??= device.createCommandEncoder({ label }));

  return {
    passes,
    submittedPasses: () => submitted,
    encoder() {
      before = "move";
      return opened();
    },
    kernel(prepared, instruction, kind) {
      host.timed("encodeMs", () => {
        const pass = opened().beginComputePass({
          label: prepared.label,
          ...timestamps?.passDescriptor(passes.length),
        });
        prepared.encode(pass);
        pass.end();
      });
      passes.push({ instruction, kind, before });
      before = "host";
    },
    wrote() {
      before = "upload";
      given += 1;
    },
    submit() {
      if (open === undefined) return lastSubmission;
      const commands = open;
      open = undefined;
      host.timed("submitMs", () => device.queue.submit([commands.finish()]));
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
