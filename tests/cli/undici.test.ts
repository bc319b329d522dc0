import { execFileSync } from 'node:child_process';

/**
 * undici 7.26 to 7.30 end the whole process where a server closes its connection after an answer
 * that is read more slowly than it arrives (nodejs/undici#5360); 8 needs Node 22. The import alone
 * makes its agent the one of the global `fetch`, so this concerns every download of ours.
 */
const slowReader = `
const { createServer } = require('node:net');
require('undici');
const body = Buffer.alloc(500_000, 97);
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => {
    socket.write('HTTP/1.0 200 OK\\r\\nContent-Length: ' + body.length + '\\r\\n\\r\\n');
    socket.end(body);
  });
});
server.listen(0, '127.0.0.1', async () => {
  let bytes = 0;
  for (let round = 0; round < 5; round++) {
    const { body } = await fetch('http://127.0.0.1:' + server.address().port);
    for await (const chunk of body) {
      bytes += chunk.length;
      await new Promise((resolve) => setTimeout(resolve, 3 * round));
    }
  }
  console.log(bytes);
  process.exit(0);
});
`;

test('a server that closes after its answer does not end the process', () => {
  const args = ['-e', slowReader];
  expect(execFileSync(process.execPath, args, { encoding: 'utf8' }).trim()).toBe('2500000');
}, 60_000);
