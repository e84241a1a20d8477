// node-routeros: every command with a tag of its own, streams that end by /cancel, text in windows-1252.
// Prints what the router answered as JSON, for the test to read.
const { RouterOSAPI } = require("node-routeros");

async function main() {
  const api = new RouterOSAPI({
    host: process.env.ROUTER,
    user: process.env.USERNAME,
    password: process.env.PASSWORD,
    timeout: 60,
  });
  const out = {};
  await api.connect();
  out.identity = await api.write("/system/identity/print");
  // No rows: this client knows no !empty (D-26).
  out.none = await api.write("/ip/arp/print", ["?address=9.9.9.9"]);
  const added = await api.write("/ip/address/add", ["=address=10.77.0.1/24", "=interface=ether1"]);
  const id = added[0].ret;
  out.found = await api.write("/ip/address/print", [`?.id=${id}`]);
  out.removed = await api.write("/ip/address/remove", [`=.id=${id}`]);
  try {
    await api.write("/ip/address/add", ["=nonsense=1"]);
  } catch (error) {
    out.unknown = error.message;
  }
  try {
    // One byte in windows-1252, which is no UTF-8.
    await api.write("/ip/address/set", ["=numbers=0", "=comment=caf\u00e9"]);
  } catch (error) {
    out.text = error.message;
  }
  // Three commands at once, each answer to its own.
  out.together = await Promise.all([
    api.write("/interface/print", ["=.proplist=name", "?name=ether1"]),
    api.write("/interface/print", ["=.proplist=name", "?name=ether2"]),
    api.write("/ip/service/print", ["=count-only="]),
  ]);
  // A change is heard as long as the stream is not stopped.
  const heard = [];
  let wake;
  const news = new Promise((resolve) => (wake = resolve));
  const stream = api.stream("/interface/listen", (error, row) => {
    heard.push(error || row);
    wake();
  });
  // The first answer to a later command says that the listening has begun.
  await api.write("/system/identity/print");
  await api.write("/interface/set", ["=numbers=ether2", "=comment=heard"]);
  await news;
  await stream.stop();
  out.heard = heard[0];
  // Streams go on until they are stopped.
  const looks = [];
  let enough;
  const twice = new Promise((resolve) => (enough = resolve));
  const monitor = api.stream(
    "/interface/monitor-traffic",
    "=interface=ether1,ether2",
    "=interval=50ms",
    (error, row) => {
      looks.push(error || row);
      if (looks.length >= 4) enough();
    },
  );
  await twice;
  await monitor.stop();
  out.looks = looks.slice(0, 4);
  out.after = await api.write("/system/identity/print");
  await api.close();
  console.log(JSON.stringify(out));
}

main().catch((error) => {
  console.error("failed:", error);
  process.exit(1);
});
