// mikronode: it knows the old login only (D-19), and sends its commands over named channels.
const MikroNode = require("mikronode");

async function main() {
  const device = new MikroNode(process.env.ROUTER);
  const [login] = await device.connect();
  const connection = await login(process.env.USERNAME, process.env.PASSWORD);
  const ask = (line) =>
    new Promise((resolve) => {
      const channel = connection.openChannel();
      channel.done.subscribe((answer) => resolve(answer.data));
      channel.write(line);
    });
  const out = {};
  out.identity = await ask("/system/identity/print");
  // Its "done" does not tell of a !done that carries a value, as an add is answered with. The router answers in order,
  // so what is asked next comes after it.
  const row = { address: "10.78.0.1/24", interface: "ether1" };
  connection.openChannel().write("/ip/address/add", row);
  out.addresses = await ask("/ip/address/print");
  connection.openChannel().write("/ip/address/add", { nonsense: "1" }).catch(() => {});
  out.after = await ask("/system/identity/print");
  connection.close(true);
  console.log(JSON.stringify(out));
}

main().catch((error) => {
  console.error("failed:", error);
  process.exit(1);
});
