// npm socket.io as it comes: its own server, its own emit to a room.
//
//     node server.mjs SOURCE_PORT

import { createServer } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http);
const live = io.of("/live");

live.on("connection", (socket) => {
  socket.on("watch", (wish, acknowledge) => {
    socket.join("watchers");
    acknowledge({ ok: true });
  });
});

http.listen(0, "127.0.0.1", () => {
  const source = connect(Number(process.argv[2]), "127.0.0.1", () => {
    const said = { port: http.address().port, path: "/socket.io/?EIO=4&transport=websocket", headers: {} };
    console.log(JSON.stringify(said));
  });
  createInterface({ input: source }).on("line", (line) => {
    live.to("watchers").emit("utterance", JSON.parse(line));
  });
});
