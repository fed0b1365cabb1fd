// The same with BullMQ: `node bullmq_side.cjs FOLDER SOCKET COUNT` prints seconds. FOLDER is where
// npm has put it.

const { createRequire } = require('node:module');

const [folder, path, count] = process.argv.slice(2);
const { Queue, Worker } = createRequire(`${folder}/`)('bullmq');
const connection = { path, maxRetriesPerRequest: null };

async function main() {
  const queue = new Queue('benchmark', { connection });
  await queue.addBulk(Array.from({ length: Number(count) }, () => ({ name: 'empty', data: {} })));
  await queue.close();
  const worker = new Worker('benchmark', async () => {}, { connection, concurrency: 1, autorun: false });
  await worker.waitUntilReady();
  let done = 0;
  const all = new Promise((resolve) => {
    worker.on('completed', () => {
      done += 1;
      if (done === Number(count)) resolve();
    });
  });
  const started = process.hrtime.bigint();
  worker.run();
  await all;
  console.log(Number(process.hrtime.bigint() - started) / 1e9);
  await worker.close();
}

main();
