// One rank of the conformance tests, in a process of its own, which tells its parent what it found.

import { transports } from "../../../dist/collectives/transport/transports.js";
import { play } from "./conformance_play.js";

let side;

async function begin({ transport, ...scenario }) {
  const tell = (message) => process.send({ kind: "transport", message });
  side = transports[transport].join({ ...scenario, file: 4, tell });
  process.send({ kind: "done", ...(await play(side, scenario)) });
}

process.on("message", (message) => {
  if (message.kind === "play") void begin(message);
  else side.hear(message.message);
});
process.on("disconnect", () => process.exit(1));
