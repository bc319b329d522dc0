// Converts a checkpoint in a process of its own and prints its peak memory.
// Usage: node convert-child.cjs <checkpoint> <onnx> [options as JSON]
const path = require('node:path');
const dist = path.resolve(__dirname, '../../dist/inference');
const { convertCheckpoint } = require(path.join(dist, 'convert/convert-checkpoint.js'));
const { peakResidentBytes } = require(path.join(dist, 'sessions/peak-memory.js'));

const [source, target, options = '{}'] = process.argv.slice(2);
convertCheckpoint(source, target, JSON.parse(options)).then(
  (result) => {
    process.stdout.write(JSON.stringify({ ...result, peakBytes: peakResidentBytes() }));
  },
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
);
