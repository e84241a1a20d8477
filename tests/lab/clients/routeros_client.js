// routeros-client: models over node-routeros, names in camel case, keepalive.
const { RouterOSClient } = require("routeros-client");

async function main() {
  const api = new RouterOSClient({
    host: process.env.ROUTER,
    user: process.env.USERNAME,
    password: process.env.PASSWORD,
    timeout: 60,
    keepalive: true,
  });
  const out = {};
  const client = await api.connect();
  out.identity = (await client.menu("/system identity").getOnly()).name;
  out.ethernets = (await client.menu("/interface").where("type", "ether").get()).map((r) => r.name);
  const rules = () => client.menu("/ip firewall filter");
  out.added = await rules().add({
    chain: "forward",
    action: "drop",
    srcAddress: "10.0.0.5",
    comment: "by a client",
  });
  const [rule] = await rules().where("comment", "by a client").getModel();
  await rule.update({ comment: "changed by a client", disabled: true });
  out.changed = await rules().where({ comment: "changed by a client" }).getOnly();
  await rule.unset("srcAddress");
  out.unset = await rules().where({ comment: "changed by a client" }).getOnly();
  await rules().where("id", out.added.id).moveAbove((await rules().get())[0].id);
  out.first = (await rules().get())[0].id;
  await rule.remove();
  out.left = await rules().where({ comment: "changed by a client" }).get();
  await api.close();
  console.log(JSON.stringify(out));
}

main().catch((error) => {
  console.error("failed:", error);
  process.exit(1);
});
