// node-opcua's client, told what to do by one JSON line at a time on its input; answers each with one JSON line.
"use strict";
const say = (text) => process.stdout.write(text + "\n");
for (const name of ["log", "info", "warn"]) console[name] = console.error; // node-opcua chats there
const fs = require("fs");
const os = require("os");
const path = require("path");
const readline = require("readline");
const {
  AttributeIds,
  ClientMonitoredItemGroup,
  DataType,
  OPCUACertificateManager,
  OPCUAClient,
  TimestampsToReturn,
} = require("node-opcua");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bessplc-node-client-"));
const seen = { values: 0, lost: 0, late: [], last: new Map() };
let client, session;

const deeds = {
  async connect({ url }) {
    const clientCertificateManager = new OPCUACertificateManager({ rootFolder: folder });
    client = OPCUAClient.create({ endpointMustExist: false, clientCertificateManager, requestedSessionTimeout: 600000 });
    await client.connect(url);
    session = await client.createSession();
  },

  async subscribe({ nodes, every, sampling, queue }) {
    const subscription = await session.createSubscription2({
      requestedPublishingInterval: every,
      requestedLifetimeCount: 1000,
      requestedMaxKeepAliveCount: 10,
      maxNotificationsPerPublish: 0,
      publishingEnabled: true,
      priority: 1,
    });
    const wanted = nodes.map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value }));
    const options = { samplingInterval: sampling, discardOldest: true, queueSize: queue };
    const group = ClientMonitoredItemGroup.create(subscription, wanted, options, TimestampsToReturn.Both);
    group.on("changed", (item, value, index) => note(index, value));
    await new Promise((resolve, reject) => {
      group.on("initialized", resolve);
      group.on("err", reject);
    });
  },

  // what arrived since the last call: values, steps that were skipped, and how late
  async counts() {
    const late = seen.late.sort((a, b) => a - b);
    const found = { values: seen.values, lost: seen.lost, p50: late[late.length >> 1], p99: late[Math.floor(late.length * 0.99)] };
    Object.assign(seen, { values: 0, lost: 0, late: [] });
    return found;
  },

  async read({ nodes, times }) {
    const wanted = nodes.map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value }));
    const begun = process.hrtime.bigint();
    let bad = 0;
    for (let n = 0; n < times; n++) {
      for (const value of await session.read(wanted)) bad += value.statusCode.isGood() ? 0 : 1;
    }
    return { ms: Number(process.hrtime.bigint() - begun) / 1e6, bad };
  },

  async write({ nodes, value }) {
    const wanted = nodes.map((nodeId) => ({
      nodeId,
      attributeId: AttributeIds.Value,
      value: { value: { dataType: DataType.Double, value } },
    }));
    const begun = process.hrtime.bigint();
    const results = await session.write(wanted);
    return { ms: Number(process.hrtime.bigint() - begun) / 1e6, bad: results.filter((code) => !code.isGood()).length };
  },

  async disconnect() {
    await client.disconnect();
  },
};

function note(index, value) {
  const step = value.value.value;
  const before = seen.last.get(index);
  if (before !== undefined && step > before + 1) seen.lost += step - before - 1;
  seen.last.set(index, step);
  seen.values += 1;
  if (value.serverTimestamp) seen.late.push(Date.now() - value.serverTimestamp.getTime());
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const wanted = JSON.parse(line);
    try {
      say(JSON.stringify((await deeds[wanted.do](wanted)) ?? {}));
    } catch (error) {
      say(JSON.stringify({ error: String(error) }));
    }
  }
  fs.rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}

main();
