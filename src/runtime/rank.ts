// The main program of a rank's process. Its argument is the process that it belongs to.

import { endWithParent } from "./end_with_parent.ts";
import { serveRank } from "./rank_server.ts";

endWithParent(Number(process.argv[2]));
serveRank(process);
