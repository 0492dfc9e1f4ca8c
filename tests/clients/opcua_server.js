// node-opcua's own server, for comparison: so many doubles ns=2;s=load.xN, of which the first CHANGING count up every 100 ms.
// usage: node opcua_server.js VARIABLES CHANGING      prints its port, ends when its input does
"use strict";
const say = (text) => process.stdout.write(text + "\n");
for (const name of ["log", "info", "warn"]) console[name] = console.error; // node-opcua chats there
const fs = require("fs");
const os = require("os");
const path = require("path");
const { DataType, MessageSecurityMode, OPCUACertificateManager, OPCUAServer, SecurityPolicy, StatusCodes } = require("node-opcua");

async function main() {
  const [variables, changing] = process.argv.slice(2).map(Number);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bessplc-node-server-"));
  const server = new OPCUAServer({
    port: 0,
    hostname: "127.0.0.1",
    securityPolicies: [SecurityPolicy.None],
    securityModes: [MessageSecurityMode.None],
    serverCertificateManager: new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true }),
    serverCapabilities: { maxMonitoredItems: 100000, operationLimits: { maxNodesPerRead: 10000, maxNodesPerWrite: 10000 } },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const namespace = space.registerNamespace("urn:load");
  const parent = namespace.addFolder(space.rootFolder.objects, { browseName: "load" });
  const nodes = [];
  for (let n = 0; n < variables; n++) {
    const node = namespace.addVariable({
      componentOf: parent,
      browseName: `x${n}`,
      nodeId: `s=load.x${n}`,
      dataType: "Double",
      minimumSamplingInterval: 0,
      value: { dataType: DataType.Double, value: 0 },
    });
    nodes.push(node);
  }
  await server.start();
  let step = 0;
  const begun = Date.now();
  const change = () => {
    step += 1;
    const now = new Date();
    for (let n = 0; n < changing; n++) {
      nodes[n].setValueFromSource({ dataType: DataType.Double, value: step }, StatusCodes.Good, now);
    }
    setTimeout(change, begun + 100 * (step + 1) - Date.now());
  };
  change();
  say(String(server.endpoints[0].port));
  process.stdin.on("end", () => {
    fs.rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
  process.stdin.resume();
}

main();
