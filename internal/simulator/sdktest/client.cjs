// Copyright The hedera_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Does with the JavaScript SDK what TestGoSDK does with the Go SDK, and prints
// what came back as JSON.
const sdk = require("@hiero-ledger/sdk");

const hex = (bytes) => Buffer.from(bytes).toString("hex");

async function main() {
  const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const client = await sdk.Client.forMirrorNetwork([input.mirror]);
  const result = { nodes: {}, payers: [] };

  const book = await new sdk.AddressBookQuery().setFileId(sdk.FileId.ADDRESS_BOOK).execute(client);
  const accounts = book.nodeAddresses.map((node) => node.accountId);
  for (const node of book.nodeAddresses) {
    result.nodes[node.accountId.toString()] = Buffer.from(node.certHash).toString();
  }

  const waiting = [];
  const received = [];
  const subscription = new sdk.TopicMessageQuery()
    .setTopicId(input.topic)
    .setStartTime(0)
    .subscribe(
      client,
      (_, error) => {
        if (!/cancel/i.test(String(error))) throw error;
      },
      (message) => (waiting.length ? waiting.shift()(message) : received.push(message)),
    );
  const next = () => (received.length ? Promise.resolve(received.shift()) : new Promise((done) => waiting.push(done)));

  const transfer = (from, to) =>
    new sdk.TransferTransaction()
      .addHbarTransfer(from, sdk.Hbar.fromTinybars(-1))
      .addHbarTransfer(to, sdk.Hbar.fromTinybars(1));
  const message = (topic) => new sdk.TopicMessageSubmitTransaction().setTopicId(topic).setMessage(input.text);

  for (const { account, key } of input.payers) {
    client.setOperator(account, sdk.PrivateKey.fromStringDer(key));
    const payer = { transfers: [] };
    payer.cost = (await new sdk.AccountInfoQuery().setAccountId(account).getCost(client)).toTinybars().toNumber();
    for (const node of accounts) {
      const response = await transfer(account, node).setNodeAccountIds([node]).execute(client);
      payer.transfers.push((await response.getReceipt(client)).status.toString());
    }
    const receipt = await (await message(input.topic).execute(client)).getReceipt(client);
    payer.sequence = receipt.topicSequenceNumber.toNumber();
    payer.runningHash = hex(receipt.topicRunningHash);
    const got = await next();
    payer.received = Buffer.from(got.contents).toString();
    payer.receivedHash = hex(got.runningHash);
    result.payers.push(payer);
  }

  // By TLS alone.
  const secure = {};
  for (const node of book.nodeAddresses) {
    for (const endpoint of node.addresses) {
      if (endpoint.port === 50212) secure[endpoint.toString()] = node.accountId.toString();
    }
  }
  client.setNetwork(secure);
  result.byTLS = (
    await (await transfer(input.payers[1].account, accounts[0]).execute(client)).getReceipt(client)
  ).status.toString();

  const statusOf = (error) => (error.status ? error.status.toString() : String(error));
  await (await message("0.0.999").execute(client)).getReceipt(client).catch((error) => (result.unknownTopic = statusOf(error)));
  await transfer(input.payers[0].account, accounts[0])
    .setMaxTransactionFee(sdk.Hbar.fromTinybars(1))
    .execute(client)
    .catch((error) => (result.smallFee = statusOf(error)));

  subscription.unsubscribe();
  client.close();
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
