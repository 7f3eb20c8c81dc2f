// The main program of a rank's process.

import { serveRank } from "./rank_server.ts";

serveRank(process);
