// Hears events with EventSource or a websocket, prints each, and goes after so many.
import { EventSource } from "eventsource";
import WebSocket from "ws";

const [kind, url, count] = process.argv.slice(2);
let left = Number(count);
const heard = (data) => {
  console.log(data);
  if (--left === 0) process.exit(0);
};
if (kind === "sse") {
  const source = new EventSource(url);
  source.onopen = () => console.log("open");
  source.onmessage = (event) => heard(JSON.stringify({ id: event.lastEventId, ...JSON.parse(event.data) }));
  source.addEventListener("end", (event) => console.log(`end ${event.data}`));
} else {
  const socket = new WebSocket(url);
  socket.on("open", () => console.log("open"));
  socket.on("message", (data) => heard(data.toString()));
  socket.on("close", (code, reason) => { console.log(`close ${code} ${reason}`); process.exit(0); });
}
