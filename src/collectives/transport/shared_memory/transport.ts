// Messages through a file that all ranks of one machine map.

import { closeSync, readSync } from "node:fs";
import { canMapFiles } from "../../../map_file.ts";
import { noteWords, type Transport } from "../transport.ts";
import { openSharedMemoryCommunicator } from "./communicator.ts";
import { layoutSharedMemory } from "./layout.ts";
import { createSharedFile } from "./shared_file.ts";

export const sharedMemory: Transport = {
  isAvailable: canMapFiles,
  coordinate({ ranks, mailboxes }) {
    const layout = layoutSharedMemory(ranks, mailboxes);
    const { file, note } = createSharedFile(layout);
    return {
      file,
      notes: note === undefined ? [] : [note],
      hear() {},
      notesOf(rank) {
        const notes = new Int32Array(noteWords);
        readSync(file, notes, 0, notes.byteLength, 4 * layout.noteWord(rank));
        return notes;
      },
      close: () => closeSync(file),
    };
  },
  join(setup) {
    const communicator = openSharedMemoryCommunicator(setup);
    return { communicator, notes: communicator.notes, hear() {} };
  },
};
