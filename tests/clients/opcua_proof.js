// node-opcua's client as an HMI would use it, with certificates, users, alarms and history; told what to do as opcua_client.js is.
"use strict";
const say = (text) => process.stdout.write(text + "\n");
for (const name of ["log", "info", "warn"]) console[name] = console.error; // node-opcua chats there
const fs = require("fs");
const os = require("os");
const path = require("path");
const readline = require("readline");
const {
  AttributeIds,
  BrowseDirection,
  ClientMonitoredItemGroup,
  DataType,
  MessageSecurityMode,
  NodeClass,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  TimestampsToReturn,
  UserTokenType,
  browseAll,
  installAlarmMonitoring,
  makeBrowsePath,
  uninstallAlarmMonitoring,
} = require("node-opcua");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bessplc-node-proof-"));
let client, session, subscription, alarms;
let opened = 0;
let seen = new Map(); // node id -> its last value, status and how many came
const happened = [];

const deeds = {
  // `server` is the site's certificate, trusted by this client beforehand: no other is believed
  async connect({ url, policy, mode, certificate, key, uri, server, user }) {
    const clientCertificateManager = new OPCUACertificateManager({ rootFolder: path.join(folder, `pki${opened++}`) });
    await clientCertificateManager.initialize();
    await left();
    if (server) await clientCertificateManager.trustCertificate(fs.readFileSync(server));
    client = OPCUAClient.create({
      applicationName: "node-opcua",
      applicationUri: uri,
      certificateFile: certificate,
      privateKeyFile: key,
      clientCertificateManager,
      securityPolicy: SecurityPolicy[policy],
      securityMode: MessageSecurityMode[mode],
      endpointMustExist: policy !== "None",
      connectionStrategy: { initialDelay: 100, maxDelay: 500, maxRetry: 3 },
      keepSessionAlive: true,
      requestedSessionTimeout: 60000,
    });
    for (const event of ["connection_lost", "connection_reestablished"]) client.on(event, () => happened.push(event));
    try {
      await client.connect(url);
      session = await client.createSession(identity(user));
    } catch (error) {
      await left();
      throw error;
    }
    return { policy: client.securityPolicy, mode: MessageSecurityMode[client.securityMode], user: user && user.name };
  },

  // every node that can be reached from the root, breadth first, each once; below a path that `prune` fits nobody looks
  async crawl({ prune }) {
    const found = new Map([["ns=0;i=84", { path: "Root", kind: "Object" }]]);
    const bad = [];
    for (let round = ["ns=0;i=84"]; round.length > 0; ) {
      const next = [];
      for (let n = 0; n < round.length; n += 100) {
        const some = round.slice(n, n + 100);
        const results = await browseAll(session, some.map(forward));
        results.forEach((result, index) => {
          if (!result.statusCode.isGood()) bad.push(`${some[index]}: ${result.statusCode.name}`);
          for (const reference of result.references ?? []) {
            const id = reference.nodeId.toString().replace(/^i=/, "ns=0;i=");
            if (found.has(id)) continue;
            const place = `${found.get(some[index]).path}/${reference.browseName.name}`;
            found.set(id, { path: place, kind: NodeClass[reference.nodeClass], type: String(reference.typeDefinition) });
            const isProperty = String(reference.typeDefinition) === "ns=0;i=68"; // which has no children
            if (!isProperty && !(prune && place.match(prune))) next.push(id);
          }
        });
      }
      round = next;
    }
    return { nodes: Object.fromEntries(found), bad };
  },

  async read({ nodes }) {
    const values = await session.read(nodes.map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value })));
    return { values: values.map(shown) };
  },

  async write({ node, type, value }) {
    const wanted = { nodeId: node, attributeId: AttributeIds.Value, value: { value: { dataType: DataType[type], value } } };
    return { status: (await session.write(wanted)).name };
  },

  async call({ object, method, type, value }) {
    const inputArguments = value === undefined ? [] : [{ dataType: DataType[type], value }];
    return { status: (await session.call({ objectId: object, methodId: method, inputArguments })).statusCode.name };
  },

  async subscribe({ nodes }) {
    subscription = await session.createSubscription2({
      requestedPublishingInterval: 100,
      requestedLifetimeCount: 600,
      requestedMaxKeepAliveCount: 10,
      maxNotificationsPerPublish: 0,
      publishingEnabled: true,
      priority: 1,
    });
    const wanted = nodes.map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value }));
    const group = ClientMonitoredItemGroup.create(subscription, wanted, { samplingInterval: 100, queueSize: 10 }, TimestampsToReturn.Both);
    group.on("changed", (item, value, index) => {
      const before = seen.get(nodes[index]);
      seen.set(nodes[index], { ...shown(value), count: (before ? before.count : 0) + 1 });
    });
    await new Promise((resolve, reject) => {
      group.on("initialized", resolve);
      group.on("err", reject);
    });
    return { items: group.monitoredItems.length, bad: group.monitoredItems.filter((item) => !item.statusCode.isGood()).length };
  },

  // what came since the last call, and what happened to the connection
  async seen() {
    const values = Object.fromEntries(seen);
    seen = new Map();
    return { values, happened: happened.splice(0) };
  },

  // node-opcua's own alarm list: subscribes to every field of AlarmConditionType, and asks for a ConditionRefresh
  async watchAlarms() {
    alarms = await installAlarmMonitoring(session);
    return { alarms: listed() };
  },

  async alarms({ condition }) {
    return { alarms: listed().filter((alarm) => alarm.condition === condition) };
  },

  async leaveAlarms() {
    await uninstallAlarmMonitoring(session);
  },

  async acknowledge({ condition, comment }) {
    const alarm = alarms.alarms().find((one) => one.conditionId.toString() === condition);
    return { status: (await session.acknowledgeCondition(alarm.conditionId, alarm.eventId, comment)).name };
  },

  // by the methods that the condition's own ShelvingState shows
  async shelve({ condition, method, milliseconds }) {
    const paths = ["/ShelvingState", `/ShelvingState/${method}`].map((path) => makeBrowsePath(condition, path));
    const [objectId, methodId] = (await session.translateBrowsePath(paths)).map((found) => found.targets[0].targetId);
    const inputArguments = milliseconds === undefined ? [] : [{ dataType: DataType.Double, value: milliseconds }];
    return { status: (await session.call({ objectId, methodId, inputArguments })).statusCode.name };
  },

  async history({ node, from, to }) {
    const result = await session.readHistoryValue(node, new Date(from), new Date(to));
    return { status: result.statusCode.name, values: (result.historyData.dataValues ?? []).map(shown) };
  },

  async disconnect() {
    await left();
  },
};

async function left() {
  const [before, was] = [client, session];
  client = session = undefined;
  if (was) await was.close();
  if (before) await before.disconnect();
}

function identity(user) {
  if (!user) return undefined;
  if (user.password !== undefined) return { type: UserTokenType.UserName, userName: user.name, password: user.password };
  const certificateData = fs.readFileSync(user.certificate);
  return { type: UserTokenType.Certificate, certificateData, privateKey: fs.readFileSync(user.key, "utf8") };
}

function forward(nodeId) {
  return { nodeId, referenceTypeId: "HierarchicalReferences", includeSubtypes: true, browseDirection: BrowseDirection.Forward, resultMask: 63 };
}

function shown(value) {
  let found = value.value ? value.value.value : null;
  const isLong = value.value && value.value.dataType === DataType.Int64 && Array.isArray(found) && found.length === 2;
  if (isLong) found = Number(BigInt.asIntN(64, (BigInt(found[0]) << 32n) | BigInt(found[1] >>> 0))); // high and low word
  return { value: ArrayBuffer.isView(found) ? Array.from(found) : found, status: value.statusCode.name, at: value.sourceTimestamp };
}

function listed() {
  return alarms.alarms().map((alarm) => {
    const text = (name) => (alarm.fields[name] ? alarm.fields[name].value : null);
    return {
      condition: alarm.conditionId.toString(),
      type: alarm.eventType.toString(),
      retain: alarm.getRetain(),
      active: alarm.fields.activeState.id.value,
      acked: alarm.fields.ackedState.id.value,
      severity: text("severity"),
      message: (text("message") || {}).text,
      comment: (text("comment") || {}).text,
      by: text("clientUserId"),
      source: text("sourceName"),
      input: String(text("inputNode")),
      shelved: text("suppressedOrShelved"),
      shelving: (alarm.fields.shelvingState?.currentState?.value ?? {}).text,
      left: alarm.fields.shelvingState?.unshelveTime?.value,
    };
  });
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const wanted = JSON.parse(line);
    try {
      say(JSON.stringify((await deeds[wanted.do](wanted)) ?? {}));
    } catch (error) {
      say(JSON.stringify({ error: String(error.message ?? error) }));
    }
  }
  fs.rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}

main();
