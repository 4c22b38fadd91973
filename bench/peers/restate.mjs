// The service that stands behind Restate in the measurements: it takes what is sent, and says how late what was due came.
import * as restate from "@restatedev/restate-sdk";
import { createServer } from "node:http";

const [port, figures] = process.argv.slice(2).map(Number);
const late = [];
let taken = 0;

const receiver = restate.service({
  name: "receiver",
  handlers: {
    take: async () => void (taken += 1),
    due: async (_context, one) => void late.push(Date.now() - one.due_at),
  },
});
restate.serve({ services: [receiver], port });
createServer((_request, response) => response.end(JSON.stringify({ taken, late }))).listen(figures, "127.0.0.1");
