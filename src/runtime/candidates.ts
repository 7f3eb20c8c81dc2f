// What the host picks tokens from: read as soon as a step has it, which is a part of the step's time. A few numbers for each
// request.

import { createReader, type Reader } from "../gpu/read_back.ts";
import type { Instruction, ObserveInstruction } from "../program/program.ts";
import type { StepOptions } from "./execute.ts";
import type { ObservedBuffer } from "./observation.ts";
import type { ProgramSession } from "./open_program.ts";

/** What a step has to do besides, so that `shown` gets its candidates; nothing where the program has none. */
export function createCandidateReader(
  session: ProgramSession,
): (shown: ObservedBuffer[]) => Pick<StepOptions, "inspects" | "inspect"> {
  const { gpu, communicator, prepared } = session;
  let reader: Reader | undefined;
  const read = async ({ buffer: id }: ObserveInstruction): Promise<Uint8Array<ArrayBuffer>> => {
    reader ??= createReader(gpu, `rank ${prepared().program.rank} candidates`);
    const { buffer, offset, size } = prepared().region(id);
    const reading = reader.read(buffer, [{ offset, bytes: size }]);
    return new Uint8Array(await communicator.meanwhile(reading));
  };
  return (shown) =>
    prepared().program.instructions.some(isCandidates)
      ? {
          inspects: isCandidates,
          async inspect(instruction) {
            if (!isCandidates(instruction)) return;
            const { origin, observation } = instruction;
            const { layer, microBatch } = origin;
            shown.push({ layer, microBatch, observation, bytes: await read(instruction) });
          },
        }
      : {};
}

function isCandidates(instruction: Instruction): instruction is ObserveInstruction {
  return instruction.op === "observe" && instruction.observation.kind === "candidates";
}
