// Hears one message with MQTT.js, in the version that is asked for, and prints it.
import mqtt from "mqtt";

const [url, topic, version] = process.argv.slice(2);
const client = mqtt.connect(url, { protocolVersion: Number(version), connectTimeout: 30000 });
client.on("error", (error) => { console.error(error); process.exit(1); });
client.on("message", (topic, payload, packet) => {
  const properties = packet.properties?.userProperties ?? {};
  console.log(JSON.stringify({ topic, body: JSON.parse(payload), properties }));
  client.end();
});
client.on("connect", () => client.subscribe(topic, { qos: 1 }, () => console.log("subscribed")));
