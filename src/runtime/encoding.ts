// How kernels and copies get into command encoders.

import type { BufferRegion } from "../collectives/buffer_region.ts";
import { type BytePlace, copyBytes } from "../collectives/copy_bytes.ts";
import type { PreparedKernel } from "../gpu/logical_gpu.ts";
import type { Timestamps } from "../gpu/timestamps.ts";
import type { CopyInstruction } from "../program/program.ts";

export interface Encoding {
  open(): GPUCommandEncoder;
  /** A compute pass of its own, so that it can be timed; gives the place of its timestamps. */
  kernel(encoder: GPUCommandEncoder, prepared: PreparedKernel): number;
  /** One that is not timed. */
  digest(encoder: GPUCommandEncoder, prepared: PreparedKernel): void;
  copy(encoder: GPUCommandEncoder, copy: CopyInstruction): void;
}

export function createEncoding(
  device: GPUDevice,
  label: string,
  timestamps: Timestamps | undefined,
  region: (id: string) => BufferRegion,
): Encoding {
  let passes = 0;
  return {
    open: () => device.createCommandEncoder({ label }),
    kernel(encoder, prepared) {
      const slot = passes++;
      const pass = encoder.beginComputePass({
        label: prepared.label,
        ...timestamps?.passDescriptor(slot),
      });
      prepared.encode(pass);
      pass.end();
      return slot;
    },
    digest(encoder, prepared) {
      const pass = encoder.beginComputePass({ label: prepared.label });
      prepared.encode(pass);
      pass.end();
    },
    copy(encoder, { source, sourceOffset, target, targetOffset, bytes, through }) {
      const placeOf = (id: string, further: number): BytePlace => {
        const { buffer, offset } = region(id);
        return { buffer, offset: offset + further };
      };
      copyBytes(
        encoder,
        placeOf(source, sourceOffset),
        placeOf(target, targetOffset),
        bytes,
        through === undefined ? undefined : region(through),
      );
    },
  };
}
